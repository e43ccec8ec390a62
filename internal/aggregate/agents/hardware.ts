// What of a user agent names hardware and apps on it, and not who is behind it. The patterns are linear.

/**
 * The comment of an Android agent, `(Linux; Android 7.0; M bot 54 Build/NRD90M; wv)`: the model is free text, which
 * says nothing of bots. One that is "compatible" to others belongs to a bot that borrows the form.
 */
export const ANDROID_COMMENT =
  /\((?=(?:Linux|Android|U;|Mobile)[^()]{0,40}Android)(?![^()]*compatible)[^()]*(?:\([^()]*\)[^()]*)*\)/gi;

/** Cubot's phones; WhatsApp on a phone that it names (its link preview names none); Firefox's own way to fetch. */
export const INNOCENT = /cubot|WhatsApp\/[\d.]+ (?=Android[^ ]* Device)|MozacFetch/gi;

/** Signs of a device, of an app on one, or of a browser that is older than most bots. */
export const DEVICE_SIGN = new RegExp(
  [
    "Android|iPhone|iPad|iPod|\\biPh\\d|\\b(?:i|iPad|watch|tv)OS\\b|\\bWatch\\d|Apple ?TV|CFNetwork|server-bag",
    "MIDP|MAUI|\\bWAP[\\d -]|BREW|BlackBerry|Symb(?:ian|OS)|bada|UCBrowser|Opera/9\\.80|Presto|msm\\d{4}",
    "HbbTV|NETTV|CE-HTML|Smart-?TV|VIDAA|\\bAFT[A-Z]|Roku|GoogleTV|google_cube|CrKey|OMI/|Tizen|webOS|web0S|gftv",
    "PlayStation|Nintendo|Xbox|\\bSEGA|\\bXBMC|Kodi|\\bnook\\b",
    "FBAN|FBAV|Instagram|Google Earth|Citrix|MSIE|Trident|BrowseX|OffByOne",
  ].join("|"),
  "i",
);

/** A word that says so, with the rest of the name that it stands in. */
export const BOT_WORD = /[\w.-]{0,40}(?:bot\b|bots\b|bot[/_ -]|crawl|spider|scrap|slurp)[\w-]{0,40}/i;
