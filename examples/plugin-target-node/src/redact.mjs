// Secrets out of whatever leaves the process.
export const redacted = '[redacted]';

// A shorter secret guards nothing, and its letters are everywhere.
const minSecret = 4;
// A part of a URL is replaced by itself from this length on.
const minPart = 12;

// secretsOf returns the values of a configuration that its schema calls writeOnly.
export function secretsOf(schema, config) {
  return Object.entries(schema.properties)
    .filter(([key, property]) => property.writeOnly && typeof config[key] === 'string')
    .map(([key]) => config[key]);
}

// redactor returns a function that replaces secrets, in every spelling in which an endpoint
// may repeat them.
export function redactor(secrets) {
  const words = [...new Set(secrets.flatMap(spellings))]
    .filter((word) => word.length >= minSecret)
    .sort((a, b) => b.length - a.length); // one that has another in it goes as a whole
  if (words.length === 0) {
    return (text) => text;
  }
  const pattern = new RegExp(words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|'), 'g');
  return (text) => text.replace(pattern, redacted);
}

// line returns text on one line of at most 1 KiB, as messages of outcomes and problems are.
export const line = (text) => cutBytes(text.replace(/\s+/g, ' ').trim(), 1 << 10);

// cutBytes returns at most limit bytes of text, in whole characters.
export function cutBytes(text, limit) {
  return new TextDecoder().decode(Buffer.from(text).subarray(0, limit), { stream: true });
}

function spellings(secret) {
  const forms = [secret, ...urlParts(secret).filter((part) => part.length >= minPart)];
  return forms.filter((form) => form.length >= minSecret).flatMap((form) => [
    form,
    encodeURIComponent(form),
    JSON.stringify(form).slice(1, -1),
    Buffer.from(form).toString('base64'),
    Buffer.from(form).toString('base64').replace(/=+$/, ''),
    Buffer.from(form).toString('base64url'),
  ]);
}

function urlParts(secret) {
  if (!URL.canParse(secret)) {
    return [];
  }
  const url = new URL(secret);
  return [url.href, url.pathname + url.search, url.pathname, ...url.pathname.split('/'), ...url.searchParams.values(), url.password];
}
