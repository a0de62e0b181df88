/** A request as a program: curl for a POSIX shell, and Python with the requests library. Both can be run as they are. */

/** Characters of JSON that stand on the command line; Linux takes 131,072 bytes an argument. */
const LONGEST_ARGUMENT = 60_000;
const KEY = "API_KEY";

/** A curl command. `needsKey`: it reads the API key from the environment. */
export function asCurl({ url, body, needsKey }) {
  const json = JSON.stringify(body, null, 2);
  const key = needsKey ? ` \\\n  -H "x-api-key: $${KEY}"` : "";
  const start = `curl -s ${shellQuoted(url)} \\\n  -H 'Content-Type: application/json'${key}`;
  if (json.length <= LONGEST_ARGUMENT) return `${start} \\\n  -d ${shellQuoted(json)}\n`;
  // Too long for an argument: given as standard input. No line of JSON is the word that ends it.
  return `${start} \\\n  -d @- <<'JSON'\n${json}\nJSON\n`;
}

/** A Python program. */
export function asPython({ url, body, needsKey }) {
  const key = needsKey ? `    headers={"x-api-key": os.environ["${KEY}"]},\n` : "";
  return [
    needsKey ? "import os\n\n" : "",
    "import requests\n\n",
    "answer = requests.post(\n",
    `    ${pythonString(url)},\n`,
    key,
    `    json=${pythonValue(body, "    ")},\n`,
    "    timeout=60,\n",
    ")\n",
    "answer.raise_for_status()\n",
    'for hit in answer.json()["hits"]:\n',
    '    print(f"{hit[\'_score\']:.4f}", hit["_id"], hit.get("_highlights"))\n',
  ].join("");
}

/** A word of a POSIX shell that stands for exactly this text. */
export function shellQuoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A JSON value as a Python expression. */
export function pythonValue(value, indent = "") {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return pythonString(value);
  if (typeof value === "number") return String(value);
  const inner = `${indent}    `;
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== "object")) return `[${value.map((item) => pythonValue(item)).join(", ")}]`;
    return `[\n${value.map((item) => `${inner}${pythonValue(item, inner)},\n`).join("")}${indent}]`;
  }
  const entries = Object.entries(value).map(([key, item]) => `${inner}${pythonString(key)}: ${pythonValue(item, inner)},\n`);
  return entries.length ? `{\n${entries.join("")}${indent}}` : "{}";
}

function pythonString(text) {
  // JSON's escapes are Python's too.
  return JSON.stringify(text);
}
