// Write parameters as arguments: an option of a script by its declaration, a parameter of a trainer by its name.
const long = (flags) => flags.reduce((best, flag) => (flag.length > best.length ? flag : best), "");
const plain = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));

// A value that looks like an option would be read as one.
const given = (flag, value) => (value.startsWith("-") && flag.startsWith("--") ? [`${flag}=${value}`] : [flag, value]);

function optionWords({ flags, negative, action, nargs }, value) {
  const flag = long(flags);
  if (action === "count") return Array(value).fill(flag);
  if (typeof value === "boolean") return [value ? flag || negative : (negative ?? flag)];
  if (action === "const") return [flag];
  if (!Array.isArray(value)) return given(flag, plain(value));
  if (["append", "append_const"].includes(action) && (nargs === null || nargs === undefined)) return value.flatMap((one) => given(flag, plain(one)));
  return [flag, ...value.map(plain)];
}

const isCommand = (field) => field.flag.action === "command";

// A subcommand comes after the options and positionals of the level above it.
export function scriptWords(set) {
  const levels = new Map();
  for (const field of set.changed()) {
    const level = JSON.stringify(field.when);
    levels.set(level, [...(levels.get(level) ?? []), field]);
  }
  return [...levels.values()].flatMap((fields) => {
    const value = (field) => JSON.parse(field.json());
    const options = fields.filter((field) => field.flag.flags.length).flatMap((field) => optionWords(field.flag, value(field)));
    const positionals = fields.filter((field) => !field.flag.flags.length && !isCommand(field)).flatMap((field) => [value(field)].flat().map(plain));
    const apart = positionals.some((word) => word.startsWith("-")) || fields.some((field) => field.flag.flags.length && Array.isArray(value(field)));
    return [...options, ...(positionals.length && apart ? ["--"] : []), ...positionals, ...fields.filter(isCommand).map((field) => plain(value(field)))];
  });
}

export function trainerWords(params, reserved) {
  return Object.entries(params).flatMap(([name, value]) => {
    const flag = `--${name.replaceAll("_", "-")}`;
    const simple = !reserved.has(flag) && value !== null && typeof value !== "object" && value !== "";
    if (!simple) return ["-p", `${name}=${plain(value)}`];
    if (typeof value === "boolean") return [value ? flag : flag.replace("--", "--no-")];
    return given(flag, plain(value));
  });
}
