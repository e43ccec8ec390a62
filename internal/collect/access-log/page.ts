/**
 * Endings of what is fetched for or from a page, and is no page: styles, scripts, pictures, fonts, sound, data,
 * feeds, documents, archives, sources. As AWStats' NotPageList and GoAccess' static files do, the list names
 * what is not a page: an ending that it lacks (".html", ".php", a name with a dot) is taken for one.
 */
const NOT_PAGES: ReadonlySet<string> = new Set(
  (
    "css scss less map js mjs cjs wasm ts tsx vue " +
    "png jpg jpeg jpe gif bmp ico cur svg svgz webp avif apng tif tiff heic jxl psd " +
    "woff woff2 ttf otf eot fon " +
    "mp3 mp4 m4a m4v ogg oga ogv opus wav flac webm avi mov mkv mpg mpeg wmv swf flv m3u8 " +
    "json jsonld json5 xml xsl xslt dtd rss atom rdf csv tsv yaml yml toml ini conf cfg txt md log webmanifest " +
    "pdf ps eps doc docx xls xlsx ppt pptx odt ods odp rtf epub mobi tex ics vcf " +
    "zip gz tgz bz2 xz zst 7z rar tar jar war deb rpm apk dmg iso exe msi bin gem whl pcap " +
    "c h cc cpp hpp cs java class kt go rs py pyc rb pl pm lua sh bat ps1 sql diff patch vim spec m4 mk xs " +
    "bak old swp tmp pem key crt asc sig"
  ).split(" "),
);

const EXTENSION = /\.([A-Za-z0-9]{1,12})$/;
const FEED_PATH = /\/(feeds?|rss|atom)\/?$/i;
// The parameter's name counts: "?source=rss" is a page that a reader of the feed has come to.
const FEED_QUERY = /[?&](?:(?:flav|flavou?r|format|type|output|alt)=(?:rss|atom)[\w.]*|feed=[^&]+)(?:&|$)/i;

/**
 * Whether a request's target is a page that a person looks at, and not a part of one, a feed, a download or
 * what only machines read (/robots.txt, /.well-known/).
 * @param target a path with its query, or an absolute address.
 */
export function isPage(target: string): boolean {
  const [path, query] = splitTarget(target);
  if (!path.startsWith("/") || path.startsWith("/.well-known/")) return false;
  if (FEED_PATH.test(path) || FEED_QUERY.test(query)) return false;
  const extension = EXTENSION.exec(path)?.[1];
  return extension === undefined || !NOT_PAGES.has(extension.toLowerCase());
}

function splitTarget(target: string): [path: string, query: string] {
  const relative = target.replace(/^https?:\/\/[^/?#]*/i, "");
  const [beforeFragment = ""] = relative.split("#", 1);
  const mark = beforeFragment.indexOf("?");
  const path = mark < 0 ? beforeFragment : beforeFragment.slice(0, mark);
  return [path === "" && relative !== target ? "/" : path, mark < 0 ? "" : beforeFragment.slice(mark)];
}
