// Return the dropped files; those of folders have their paths.
export async function dropped(transfer) {
  // Entries are gone after the event: take all of them before the first await.
  const found = [...transfer.items].filter((item) => item.kind === "file").map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  return (await Promise.all(found.map((one) => (one instanceof File ? [{ file: one, path: one.name }] : filesOf(one))))).flat();
}

async function filesOf(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ file, path: entry.fullPath.replace(/^\//, "") }];
  }
  return (await Promise.all((await children(entry)).map(filesOf))).flat();
}

// A reader returns a hundred entries at a time, and none at the end.
async function children(folder) {
  const reader = folder.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found;
    found.push(...some);
  }
}
