// Split and quote arguments as a POSIX shell does: quotes, backslashes, no expansion.
const WORD = /(?:[^\s"'\\]|\\[\s\S]|"(?:[^"\\]|\\[\s\S])*"|'[^']*')+/g;
const PART = /"((?:[^"\\]|\\[\s\S])*)"|'([^']*)'|\\([\s\S])|([^\s"'\\]+)/g;
const PLAIN = /^[\w@%+=:,./-]+$/;

export function splitWords(text) {
  return (text.match(WORD) ?? []).map((word) =>
    word.replace(PART, (_, double, single, escaped, plain) => (double === undefined ? (single ?? escaped ?? plain) : double.replace(/\\(["\\$`])/g, "$1"))),
  );
}

export function quoteWord(word) {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
