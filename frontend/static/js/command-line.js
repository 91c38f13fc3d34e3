// The form as a `traindeck` command that does the same as the request body.
import { scriptWords, trainerWords } from "./option-args.js";
import { scriptArgs } from "./script-body.js";
import { quoteWord } from "./shell-words.js";

const OWN = new Set(["--name", "--tag", "--notes", "--priority", "--cpus", "--gpus", "--env", "--max-retries", "--python", "--cold", "--resume-arg", "--module", "--param", "--follow", "--json", "--url", "--help"]);

const option = (flag, value) => (value === undefined || value === null ? [] : [flag, String(value)]);

function commonWords(body) {
  return [
    ...option("--name", body.name),
    ...(body.tags ?? []).flatMap((tag) => ["--tag", tag]),
    ...option("--notes", body.notes),
    ...option("--priority", body.priority),
    ...option("--cpus", body.resources?.cpus),
    ...option("--gpus", body.resources?.gpus),
    ...Object.entries(body.env ?? {}).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
    ...option("--max-retries", body.max_retries),
  ];
}

const startWords = (script) => [...option("--python", script.python), ...(script.cold ? ["--cold"] : []), ...option("--resume-arg", script.resume_arg)];

// A pasted or uploaded script must be saved to a file first.
function asFile(script, upload) {
  if (script.path !== undefined) return { path: script.path, folder: script.cwd ?? folderOf(script.path) };
  const path = script.entry ?? script.filename ?? (upload.name || "train.py");
  return { path, folder: script.cwd, note: `# in the folder of ${path}` };
}

function folderOf(path) {
  const at = path.lastIndexOf("/");
  return at > 0 ? path.slice(0, at) : undefined;
}

function programWords(body, set, upload) {
  const { script } = body;
  if (script.command) return { folder: script.cwd, words: [...startWords(script), "--", ...script.command] };
  const args = [...scriptWords(set), ...scriptArgs()];
  if (script.module !== undefined) return { folder: script.cwd, words: [...startWords(script), "-m", script.module, ...args] };
  const { path, folder, note } = asFile(script, upload);
  return { folder, note, words: [...startWords(script), path.includes("/") || path.endsWith(".py") ? path : `./${path}`, ...args] };
}

function repeatWords(body, repeats) {
  const params = Object.entries(body.params ?? {}).flatMap(([name, value]) => ["-p", `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`]);
  return [repeats, ...params, ...commonWords(body), ...(body.args ? ["--", ...body.args] : [])];
}

const line = (words) => words.map(quoteWord).join(" ");

export function commandLine({ body, repeats }, set, upload) {
  if (repeats) return line(["traindeck", "rerun", ...repeatWords(body, repeats)]);
  if (body.trainer) return line(["traindeck", "launch", body.trainer, ...trainerWords(body.params ?? {}, OWN), ...commonWords(body)]);
  const { folder, note, words } = programWords(body, set, upload);
  return [...(folder ? [line(["cd", folder])] : note ? [note] : []), line(["traindeck", "launch", ...commonWords(body), ...words])].join("\n");
}
