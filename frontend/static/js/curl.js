// The request as a curl command. If the upload is one file, the command sends it.
import { quoteWord } from "./shell-words.js";

export function curlCommand({ url, body }, upload) {
  const address = quoteWord(`${location.origin}${url}`);
  if (body.script?.upload && upload.single) {
    const { upload: _digest, entry, ...script } = body.script;
    const run = { ...body, script: { ...script, ...(entry && entry !== upload.name && { entry }) } };
    return `curl ${address} \\\n  -F ${quoteWord(`run=${JSON.stringify(run, null, 2)};type=application/json`)} \\\n  -F ${quoteWord(`file=@${upload.name}`)}`;
  }
  return `curl ${address} \\\n  -H 'Content-Type: application/json' \\\n  -d ${quoteWord(JSON.stringify(body, null, 2))}`;
}
