// Show untrusted text so that it cannot look like other text, as pages/visible.py does.
// eslint-disable-next-line no-control-regex
const HIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
const OVERRIDES = /[\u202a-\u202e\u2066-\u2069]/g;

const named = (found) => `[U+${found.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}]`;

export const visible = (text) => text.replace(HIDDEN, named);

// For a log: name only overrides and isolates, because the text of some languages needs the other marks.
export const withoutOverrides = (text) => text.replace(OVERRIDES, named);
