const graphemes = new Intl.Segmenter("und", { granularity: "grapheme" });

/** How far around a cut is looked for the character that a person sees there, UTF-16 units. */
const AROUND = 64;

/**
 * The first characters (Unicode code points) of a well-formed text, up to a limit. It is not cut between a letter and
 * its marks, nor within an emoji of several parts, unless these are endless.
 */
export function cutText(text: string, limit: number): string {
  const end = endOf(text, limit);
  if (end === text.length) return text;
  const from = boundary(text, Math.max(0, end - AROUND));
  const window = text.slice(from, boundary(text, Math.min(text.length, end + AROUND)));
  const whole = graphemes.segment(window).containing(end - from);
  return text.slice(0, whole === undefined || whole.index === 0 ? end : from + whole.index);
}

/** Where so many characters of a text end, UTF-16 units. */
export function endOf(text: string, characters: number): number {
  if (text.length <= characters) return text.length;
  let end = 0;
  for (let count = 0; count < characters && end < text.length; count++) {
    end += text.codePointAt(end)! > 0xffff ? 2 : 1;
  }
  return end;
}

/** The place itself, or the one before it if it is within a surrogate pair. */
function boundary(text: string, place: number): number {
  return (text.charCodeAt(place) & 0xfc00) === 0xdc00 ? place - 1 : place;
}
