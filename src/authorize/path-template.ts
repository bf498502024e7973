/** One segment of a path template. */
export type TemplateSegment =
  | { readonly kind: 'static'; readonly text: string }
  | { readonly kind: 'parameter'; readonly name: string }
  | { readonly kind: 'greedy'; readonly name: string };

/**
 * Takes an API Gateway path template apart: `{name}` is one non-empty segment, `{name+}` one or more at the end. Static
 * text is brought into canonical spelling, so that it compares with canonical paths.
 *
 * @param template starts with a slash; its validity has been checked with the configuration
 */
export function parseTemplate(template: string): readonly TemplateSegment[] {
  return template
    .slice(1)
    .split('/')
    .map((segment): TemplateSegment => {
      const match = /^\{([^{}+]+)(\+?)\}$/.exec(segment);
      if (match === null) return { kind: 'static', text: canonicalSegment(segment) };
      return { kind: match[2] === '+' ? 'greedy' : 'parameter', name: match[1] as string };
    });
}

/** Unreserved characters decoded, what is not allowed in a path encoded, hex digits in upper case. */
function canonicalSegment(text: string): string {
  return text
    .replace(/%[0-9A-Fa-f]{2}/g, (triplet) => {
      const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
      return /[A-Za-z0-9._~-]/.test(character) ? character : triplet.toUpperCase();
    })
    .replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@%]/gu, (character) => encodeURIComponent(character));
}
