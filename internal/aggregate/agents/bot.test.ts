import { describe, expect, test } from "vitest";
import { botOf } from "./bot.ts";

const CHROME =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
const ANDROID = (model: string) =>
  `Mozilla/5.0 (Linux; Android 10; ${model}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36`;

describe("which bot it is", () => {
  const compatible = (name: string) => `Mozilla/5.0 (compatible; ${name}; +https://bots.example)`;
  // As the operators document them.
  test.each([
    [compatible("GPTBot/1.2"), "GPTBot", "ai_crawler", "OpenAI"],
    [compatible("OAI-SearchBot/1.3"), "OAI-SearchBot", "ai_search", "OpenAI"],
    [compatible("ChatGPT-User/1.0"), "ChatGPT-User", "ai_fetcher", "OpenAI"],
    [compatible("ClaudeBot/1.0"), "ClaudeBot", "ai_crawler", "Anthropic"],
    [compatible("Claude-SearchBot/1.0"), "Claude-SearchBot", "ai_search", "Anthropic"],
    [compatible("Claude-User/1.0"), "Claude-User", "ai_fetcher", "Anthropic"],
    [compatible("PerplexityBot/1.0"), "PerplexityBot", "ai_search", "Perplexity"],
    [compatible("Perplexity-User/1.0"), "Perplexity-User", "ai_fetcher", "Perplexity"],
    ["meta-externalagent/1.1", "meta-externalagent", "ai_crawler", "Meta"],
    ["Meta-ExternalFetcher/1.1", "Meta-ExternalFetcher", "ai_fetcher", "Meta"],
    ["facebookexternalhit/1.1", "facebookexternalhit", "preview", "Meta"],
    ["CCBot/2.0 (https://commoncrawl.org/faq/)", "CCBot", "ai_crawler", "Common Crawl"],
    [ANDROID("x; wv; compatible; Bytespider; a@bytedance.com"), "Bytespider", "ai_crawler", "ByteDance"],
    [compatible("Amazonbot/0.1"), "Amazonbot", "ai_crawler", "Amazon"],
    [compatible("Amzn-User/0.1"), "Amzn-User", "ai_fetcher", "Amazon"],
    [compatible("MistralAI-User/1.0"), "MistralAI-User", "ai_fetcher", "Mistral AI"],
    [
      "DuckAssistBot/1.2; (+http://duckduckgo.com/duckassistbot.html)",
      "DuckAssistBot",
      "ai_fetcher",
      "DuckDuckGo",
    ],
    [compatible("Google-CloudVertexBot"), "Google-CloudVertexBot", "ai_crawler", "Google"],
    [compatible("Googlebot/2.1"), "Googlebot", "search_engine", "Google"],
    [compatible("Google-InspectionTool/1.0"), "Google-InspectionTool", "search_engine", "Google"],
    ["AdsBot-Google (+http://www.google.com/adsbot.html)", "AdsBot-Google", "advertising", "Google"],
    [`${CHROME} Chrome-Lighthouse`, "Chrome-Lighthouse", "monitor", "Google"],
    [compatible("Applebot/0.1"), "Applebot", "search_engine", "Apple"],
    [compatible("Applebot-Extended/0.1"), "Applebot-Extended", "ai_crawler", "Apple"],
    [compatible("AhrefsBot/7.0"), "AhrefsBot", "seo", "Ahrefs"],
    [compatible("Yahoo! Slurp"), "Yahoo! Slurp", "search_engine", "Yahoo"],
    [compatible("UptimeRobot/2.0"), "UptimeRobot", "monitor", "UptimeRobot"],
    ["WhatsApp/2.23.20.0", "WhatsApp", "preview", "Meta"],
    ["Twitterbot/1.0", "Twitterbot", "preview", "X"],
    [CHROME.replace("Chrome/", "HeadlessChrome/"), "HeadlessChrome", "automation", "Google"],
    ["Miniflux/2.0 (https://miniflux.app)", "Miniflux", "feed", null],
    ["curl/8.5.0", "curl", "library", null],
    [compatible("Grok/1.0"), "Grok", "other", null],
    [compatible("SomethingNewBot/3.0"), "SomethingNewBot", "other", null],
  ])("%s", (userAgent, name, kind, operator) => {
    expect(botOf(userAgent)).toEqual({ name, kind, operator });
  });
});
