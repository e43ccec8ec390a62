/** Words from which shops, brands and products are named. */
export const SHOP_WORDS: readonly string[] = (
  "alder amber arbor atlas aurora bay birch bloom brook canyon cedar clover cobalt copper coral crest dale " +
  "dawn delta drift dune ember fable fern field finch flint forge fox glade grove harbor haven hazel heron " +
  "indigo iris ivory jade juniper kite lark linden lotus lumen maple marlow meadow mint moss north oak olive " +
  "opal orchard otter pebble pine plume quartz quill raven ridge river rowan sable sage slate sparrow spruce " +
  "stone summit thistle thyme tide timber vale velvet violet willow winter wren zephyr"
).split(" ");

export const SHOP_TRADES: readonly string[] = (
  "goods supply outfitters market studio home wear works kitchen garden sports books toys audio beauty " +
  "cycles coffee tea paper pets"
).split(" ");

/** A word as customers read it, and as it stands in an address. */
export interface Word {
  readonly text: string;
  readonly slug: string;
}

/** A category of products; "/" in its name parts levels. */
export interface Category {
  readonly name: string;
  readonly slug: string;
  readonly nouns: readonly Word[];
  /** A typical price. */
  readonly euros: number;
}

const category = (name: string, nouns: string, euros: number): Category => ({
  name,
  slug: slug(name),
  nouns: nouns.split("|").map(word),
  euros,
});

export const CATEGORIES: readonly Category[] = [
  category("Shoes/Running", "Runner|Trail Shoe|Racing Flat|Trainer", 110),
  category("Shoes/Boots", "Boot|Chelsea Boot|Hiking Boot", 140),
  category("Clothing/Shirts", "Shirt|T-Shirt|Polo|Blouse|Überhemd", 39),
  category("Clothing/Jackets", "Jacket|Parka|Windbreaker|Gilet", 120),
  category("Clothing/Trousers", "Jeans|Chinos|Shorts|Joggers", 65),
  category("Home/Kitchen", "Pan|Kettle|Knife|Teapot|Cutting Board", 48),
  category("Home/Lighting", "Lamp|Floor Lamp|Pendant|Lantern", 89),
  category("Home/Textiles", "Blanket|Cushion|Towel|Duvet|Rug", 42),
  category("Garden/Tools", "Spade|Pruner|Rake|Watering Can", 33),
  category("Electronics/Audio", "Headphones|Speaker|Earbuds|Turntable", 160),
  category("Electronics/Accessories", "Cable|Charger|Case|Stand", 22),
  category("Beauty/Skin", "Cream|Serum|Crème de nuit|Cleanser", 27),
  category("Toys/Games", "Puzzle|Board Game|Building Set|Kite", 30),
  category("Food/Coffee", "Espresso|Filter Roast|Decaf|Coffee Box", 14),
  category("Books", "Novel|Cookbook|Atlas|Notebook", 18),
];

export const ADJECTIVES: readonly Word[] = (
  "Classic Light Essential Alpine Urban Vintage Pro Organic Compact Everyday Nordic Premium Soft Bold Mini " +
  "Original Coastal Winter Summer Signature"
)
  .split(" ")
  .map(word);

export const BRANDS: readonly Word[] = (
  "Northwind Halden Kaido Møller Vireo Strand Ocra Tallis Bergfink Lumo Petra Sól Arden Quay Nimbus Fjell " +
  "Castell Roam Ibex Verde"
)
  .split(" ")
  .map(word);

export const VARIANTS: readonly string[] =
  "black white navy sand olive red grey blue/S blue/M blue/L black/S black/M black/L small large 250g 1kg".split(
    " ",
  );

export const SEARCH_TERMS: readonly string[] = [
  "jacket",
  "gift",
  "sale",
  "running shoes",
  "size 42",
  "coffee",
  "lamp",
  "geschenk",
  "wool blanket",
  "headphones",
  "größe m",
  "クリーム",
  "water bottle",
  "black jeans",
];

export const COUPONS: readonly string[] = ["WELCOME10", "SPRING15", "VIP20", "NEWSLETTER5"];

/** A text as it stands in an address: lower-case letters, digits and single hyphens. */
function slug(text: string): string {
  return text
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll("ø", "o")
    .replaceAll(/\p{M}/gu, "")
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
}

function word(text: string): Word {
  return { text, slug: slug(text) };
}
