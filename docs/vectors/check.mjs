#!/usr/bin/env node
// Recomputes the identity test vectors with nothing but Node's standard library; independent of check.py and of Dedup itself.
// usage: node check.mjs    compares every vector, prints "N vectors ok", exits 1 on a difference
// docs/recipes.md explains the rules.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const sha256 = (bytes) => createHash("sha256").update(bytes).digest();

/** There is no ID; reason says why, final that no later source is asked. */
class Missing extends Error {
  constructor(reason, final = false) { super(reason); this.reason = reason; this.final = final; }
}
/** The text is not JSON. */
class Malformed extends Error {}

// ---- SipHash-2-4, 128 bits ---------------------------------------------------------------------------------------------------
function siphash128(key, data) {
  const M = (1n << 64n) - 1n;
  const rotl = (x, n) => ((x << n) | (x >> (64n - n))) & M;
  const [k0, k1] = [key.readBigUInt64LE(0), key.readBigUInt64LE(8)];
  let [a, b, c, d] = [k0 ^ 0x736f6d6570736575n, k1 ^ 0x646f72616e646f6dn ^ 0xeen, k0 ^ 0x6c7967656e657261n, k1 ^ 0x7465646279746573n];
  const rounds = (n) => {
    for (let i = 0; i < n; i++) {
      a = (a + b) & M; b = rotl(b, 13n) ^ a; a = rotl(a, 32n);
      c = (c + d) & M; d = rotl(d, 16n) ^ c;
      a = (a + d) & M; d = rotl(d, 21n) ^ a;
      c = (c + b) & M; b = rotl(b, 17n) ^ c; c = rotl(c, 32n);
    }
  };
  const tail = data.length - (data.length % 8);
  const absorb = (m) => { d ^= m; rounds(2); a ^= m; };
  for (let i = 0; i < tail; i += 8) absorb(data.readBigUInt64LE(i));
  const last = Buffer.alloc(8);
  data.copy(last, 0, tail);
  last[7] = data.length & 0xff;
  absorb(last.readBigUInt64LE(0));
  const out = Buffer.alloc(16);
  c ^= 0xeen; rounds(4);
  out.writeBigUInt64LE(a ^ b ^ c ^ d, 0);
  b ^= 0xddn; rounds(4);
  out.writeBigUInt64LE(a ^ b ^ c ^ d, 8);
  return out;
}

// ---- JSON that keeps number literals and repeated names ----------------------------------------------------------------------
class Num { constructor(literal) { this.literal = literal; } }
class Obj { constructor(members) { this.members = members; } }

class Reader {
  constructor(text) { this.text = text; this.at = 0; }
  peek() {
    while (" \t\r\n".includes(this.text[this.at] ?? "x")) this.at++;
    return this.text[this.at] ?? "";
  }
  take(c) { if (this.peek() !== c) throw new Malformed(); this.at++; }
  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found) throw new Malformed();
    this.at = pattern.lastIndex;
    return found[0];
  }
  string() {
    this.peek();
    return JSON.parse(this.match(/"(?:[^"\\\u0000-\u001f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"/y));
  }
  value() {
    const c = this.peek();
    if (c === '"') return this.string();
    if (c === "{") {
      const members = [];
      for (const name of this.names()) members.push([name, this.value()]);
      return new Obj(members);
    }
    if (c === "[") {
      const items = [];
      for (const _ of this.indexes()) items.push(this.value());
      return items;
    }
    for (const [word, value] of [["true", true], ["false", false], ["null", null]]) {
      if (this.text.startsWith(word, this.at)) { this.at += word.length; return value; }
    }
    return new Num(this.match(/-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y));
  }
  *names() {
    this.take("{");
    if (this.peek() === "}") { this.at++; return; }
    for (;;) {
      const name = this.string();
      this.take(":");
      yield name;
      if (this.peek() === "}") { this.at++; return; }
      this.take(",");
    }
  }
  *indexes() {
    this.take("[");
    if (this.peek() === "]") { this.at++; return; }
    for (let i = 0; ; i++) {
      yield i;
      if (this.peek() === "]") { this.at++; return; }
      this.take(",");
    }
  }
  end() { if (this.peek() !== "") throw new Malformed(); }
}

function jsonText(payload) {
  if (payload.length >= 5 && payload[0] === 0) payload = payload.subarray(5);
  if (payload.length >= 3 && payload.readUIntBE(0, 3) === 0xefbbbf) payload = payload.subarray(3);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload);
  } catch {
    throw new Malformed();
  }
}

const steps = (path) =>
  [...path.slice(1).matchAll(/\.([^.[]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]/g)].map(([, name, index, quoted]) =>
    index !== undefined ? Number(index) : (name ?? quoted.replaceAll("\\'", "'")));

/** The value at a path; the first member of a name decides and nothing behind the value is read. */
function atPath(payload, path) {
  const reader = new Reader(jsonText(payload));
  const way = steps(path);
  for (const step of way) {
    const c = reader.peek();
    if (c !== (typeof step === "number" ? "[" : "{")) {
      if (c !== "{" && c !== "[") reader.value();
      throw new Missing("no-id");
    }
    // Not for…of: leaving it would close the generator, and here the reader simply goes on.
    const found = typeof step === "number" ? reader.indexes() : reader.names();
    for (let next = found.next(); ; next = found.next()) {
      if (next.done) throw new Missing("no-id");
      if (next.value === step) break;
      reader.value();
    }
  }
  const value = reader.value();
  if (way.length === 0) reader.end();
  else if (![",", "}", "]"].includes(reader.peek())) throw new Malformed();
  return value;
}

// ---- text of strings and numbers ---------------------------------------------------------------------------------------------
/** UTF-8, with lone surrogates in the three bytes that UTF-8 would give them. */
function wtf8(text) {
  return Buffer.concat([...text].map((c) => {
    const code = c.codePointAt(0);
    return code >= 0xd800 && code < 0xe000
      ? Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)])
      : Buffer.from(c, "utf8");
  }));
}

/** Significant digits and n of 0.ddd * 10^n; no digits for zero. */
function decimal(literal) {
  const [mantissa, exponent = "0"] = literal.replace(/^-/, "").toLowerCase().split("e");
  const [whole, fraction = ""] = mantissa.split(".");
  const all = whole + fraction;
  const digits = all.replace(/^0+/, "");
  return [digits.replace(/0+$/, ""), whole.length - (all.length - digits.length) + Number(exponent)];
}

function plainOrScientific(digits, n, least, most, padExponent) {
  if (n > least && n <= most) {
    if (n >= digits.length) return digits + "0".repeat(n - digits.length);
    return n > 0 ? `${digits.slice(0, n)}.${digits.slice(n)}` : `0.${"0".repeat(-n)}${digits}`;
  }
  const mantissa = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
  return `${mantissa}e${n > 0 ? "+" : "-"}${String(Math.abs(n - 1)).padStart(padExponent, "0")}`;
}

const isInteger = (literal) => /^-?\d+$/.test(literal);

function jcsNumber(literal) {
  if (isInteger(literal)) return literal === "-0" ? "0" : literal;
  const exponent = literal.split(/[eE]/)[1] ?? "";
  if (decimal(literal.split(/[eE]/)[0])[0] === "") return "0";
  if (exponent.replace(/^[+-]?0*/, "").length > 9) return literal.replace("E", "e");
  const [digits, n] = decimal(literal);
  const sign = literal[0] === "-" ? "-" : "";
  const double = Math.abs(Number(literal));
  if (digits.length <= 17 && double > 0 && double < Infinity) {
    const [shortest, m] = decimal(String(double));
    const same = shortest === digits && m === n;
    if (same || !(n >= digits.length && double >= 2 ** 53)) return sign + String(double);
  }
  return sign + plainOrScientific(digits, n, -6, 21, 1);
}

function pythonNumber(literal) {
  if (isInteger(literal)) return literal === "-0" ? "0" : literal;
  const sign = literal[0] === "-" ? "-" : "";
  const double = Math.abs(Number(literal));
  if (double === 0) return `${sign}0.0`;
  if (double === Infinity) return `${sign}Infinity`;
  const [digits, n] = decimal(String(double));
  return sign + plainOrScientific(digits, n, -4, 16, 2) + (n > -4 && n <= 16 && n >= digits.length ? ".0" : "");
}

// ---- canonical JSON ----------------------------------------------------------------------------------------------------------
const JCS = { item: ",", key: ":", quote: JSON.stringify, number: jcsNumber, python: false };

const hex4 = (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`;

function pythonStyle(options) {
  const [item, key] = options.separators ?? [", ", ": "];
  const ascii = options["ensure-ascii"] ?? true;
  // Without ensure_ascii a lone surrogate is left as it is, and cannot be encoded.
  const quote = (text) => ascii
    ? JSON.stringify(text).replace(/[\u007f-\uffff]/g, hex4)
    : JSON.stringify(text).replace(/(?<!\\)((?:\\\\)*)\\u(d[89a-f][0-9a-f]{2})/g, (_, before, hex) => before + String.fromCharCode(parseInt(hex, 16)));
  return { item, key, quote, number: pythonNumber, python: true };
}

const byUnits = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
function byPoints(a, b) {
  const [x, y] = [[...a], [...b]];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    if (x[i] !== y[i]) return x[i].codePointAt(0) - y[i].codePointAt(0);
  }
  return x.length - y.length;
}

function write(value, style) {
  if (value instanceof Num) return style.number(value.literal);
  if (typeof value === "string") return style.quote(value);
  if (Array.isArray(value)) return `[${value.map((v) => write(v, style)).join(style.item)}]`;
  if (!(value instanceof Obj)) return String(value);
  const members = style.python ? [...new Map(value.members)] : [...value.members];
  members.sort((a, b) => (style.python ? byPoints : byUnits)(a[0], b[0]));
  return `{${members.map(([k, v]) => style.quote(k) + style.key + write(v, style)).join(style.item)}}`;
}

const GONE = Symbol("gone");

function project(value, way, include, exclude, included, found) {
  const here = JSON.stringify(way);
  if (exclude.has(here)) return GONE;
  if (include.has(here)) {
    included = true;
    if (value !== null) found.add(here);
  }
  let kept = included ? value : GONE;
  const above = [...include].some((path) => JSON.stringify(JSON.parse(path).slice(0, way.length)) === here);
  if (value instanceof Obj) {
    kept = new Obj(value.members
      .map(([k, v]) => [k, project(v, [...way, k], include, exclude, included, found)])
      .filter(([, v]) => v !== GONE));
  } else if (Array.isArray(value)) {
    kept = value.map((v, i) => project(v, [...way, i], include, exclude, included, found)).filter((v) => v !== GONE);
  } else {
    return kept;
  }
  return included || above ? kept : GONE;
}

function hasRepeated(value) {
  if (value instanceof Obj) {
    return new Set(value.members.map(([k]) => k)).size < value.members.length || value.members.some(([, v]) => hasRepeated(v));
  }
  return Array.isArray(value) && value.some(hasRepeated);
}

const asList = (value) => (value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]);

/** The bytes that are hashed. */
function content(payload, options, last) {
  options ??= {};
  const onMissing = options["on-missing"] ?? (last ? "raw" : "next");
  const framing = options.framing ?? "auto";
  const framed = payload.length >= 5 && payload[0] === 0;
  try {
    if (framed && framing === "none") throw new Malformed();
    const text = jsonText(payload);
    if (framed && framing === "auto" && !/^[ \t\r\n]*[{[]/.test(text)) throw new Malformed();
    const reader = new Reader(text);
    let value = reader.value();
    reader.end();
    const paths = (list) => new Set(asList(list).map((path) => JSON.stringify(steps(path))));
    const [include, exclude, found] = [paths(options.include), paths(options.exclude), new Set()];
    value = project(value, [], include, exclude, include.size === 0, found);
    const python = options.canonical === "python";
    if (found.size !== include.size || (python && include.size > 0 && hasRepeated(value))) throw new Missing("content-path-missing");
    const canonical = write(value, python ? pythonStyle(options) : JCS);
    if (!canonical.isWellFormed()) throw new Malformed();
    return Buffer.from(canonical, "utf8");
  } catch (problem) {
    if (!(problem instanceof Missing || problem instanceof Malformed)) throw problem;
    if (onMissing === "raw") return framed && framing === "schema-registry" ? payload.subarray(5) : payload;
    throw new Missing(problem.reason ?? "malformed-json", onMissing === "quarantine");
  }
}

// ---- recipes -----------------------------------------------------------------------------------------------------------------
const KINDS = ["bytes", "json", "content", "join"];

function split(source) {
  if (typeof source !== "string") return Object.entries(source)[0];
  const colon = source.indexOf(":");
  return colon < 0 ? [source, null] : [source.slice(0, colon), source.slice(colon + 1).trim()];
}

const header = (record, name) => record.headers.filter(([n, v]) => n === name && v !== null).at(-1)?.[1] ?? null;

/** Kind, ID, and the bytes that were hashed for it. */
function read(source, record, last) {
  const [kind, value] = split(source);
  if (kind === "key") {
    if (record.key === null) throw new Missing("null-key");
    return [0, record.key, record.key];
  }
  if (kind === "header") {
    const found = header(record, value);
    if (!found || found.length === 0) throw new Missing("no-id");
    return [0, found, found];
  }
  if (kind === "json") {
    if (record.value === null) throw new Missing("no-id");
    let found;
    try {
      found = atPath(record.value, value);
    } catch (problem) {
      throw problem instanceof Malformed ? new Missing("malformed-json") : problem;
    }
    const empty = found === "" || (Array.isArray(found) && found.length === 0) || (found instanceof Obj && found.members.length === 0);
    if (found === null || typeof found === "boolean" || empty) throw new Missing("no-id");
    const id = typeof found === "string" ? wtf8(found) : Buffer.from(write(found, JCS), "utf8");
    return [typeof found === "string" ? 0 : 1, id, id];
  }
  if (kind === "content") {
    if (!record.value?.length) throw new Missing("no-id");
    const hashed = content(record.value, value, last);
    return [2, sha256(hashed), hashed];
  }
  const parts = value.map((part) => {
    const [partKind, id] = read(part, record, last);
    const prefix = Buffer.alloc(5);
    prefix[0] = partKind;
    prefix.writeUInt32LE(id.length, 1);
    return Buffer.concat([prefix, id]);
  });
  const id = Buffer.concat(parts);
  return [3, id, id];
}

function scopeText(source, record) {
  const none = Buffer.alloc(0);
  const [kind, value] = split(source);
  if (kind === "value") return Buffer.from(value, "utf8");
  if (kind === "key") return record.key ?? none;
  if (kind === "header") return header(record, value) ?? none;
  if (record.value === null) return none;
  try {
    const found = atPath(record.value, value);
    if (typeof found === "string") return wtf8(found);
    return found instanceof Num || typeof found === "boolean" ? Buffer.from(write(found, JCS)) : none;
  } catch (problem) {
    if (problem instanceof Missing || problem instanceof Malformed) return none;
    throw problem;
  }
}

const latin = (bytes) => bytes.toString("latin1");
const escape = (part) => `${latin(part).replaceAll("%", "%25").replaceAll(":", "%3A")}:`;

function identify(record, recipe) {
  const parts = { tenant: Buffer.alloc(0), service: Buffer.alloc(0), type: Buffer.alloc(0) };
  const frame = [];
  if (recipe.scope) {
    for (const name of Object.keys(parts)) {
      let source = recipe.scope[name];
      let required = false;
      if (source && typeof source === "object") ({ required = false, ...source } = source);
      if (source) parts[name] = scopeText(source, record);
      if (required && parts[name].length === 0) return { reason: "scope-missing" };
      const length = Buffer.alloc(4);
      length.writeUInt32LE(parts[name].length);
      frame.push(length, parts[name]);
    }
  }
  const chain = asList(recipe.id);
  const weak = ["no-id", "null-key"];
  let reason = null;
  for (const [position, source] of chain.entries()) {
    let kind, id, hashed;
    try {
      [kind, id, hashed] = read(source, record, position === chain.length - 1);
    } catch (problem) {
      if (!(problem instanceof Missing)) throw problem;
      if (problem.final) return { reason: problem.reason };
      if (reason === null || (weak.includes(reason) && !weak.includes(problem.reason))) reason = problem.reason;
      else if (reason === "null-key") reason = "no-id";
      continue;
    }
    const tag = (position << 2) | kind;
    const bytes = Buffer.concat([Buffer.from([tag | (recipe.scope ? 0x80 : 0)]), ...frame, id]);
    const shown = kind === 2 ? id : sha256(tag === 0 ? id : Buffer.concat([Buffer.from([0xff, tag]), id]));
    const visible = (parts.tenant.length ? escape(parts.tenant) : "") + escape(Buffer.from(recipe["id-prefix"] ?? "dedup"))
      + escape(parts.service) + escape(parts.type) + shown.toString("hex");
    return {
      reason: "none", source: position, kind: KINDS[kind], canonical: show(hashed), id: id.toString("hex"),
      frame: bytes.toString("hex"), hash: siphash128(Buffer.alloc(16), bytes).toString("hex"), visible: show(Buffer.from(visible, "latin1")),
    };
  }
  return { reason };
}

// ---- files -------------------------------------------------------------------------------------------------------------------
function show(bytes) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!/[\u0000-\u001f\u007f]/.test(text)) return text;
  } catch { /* no UTF-8 */ }
  return { base64: bytes.toString("base64") };
}

const dataOf = (value) =>
  value === undefined || value === null ? null : typeof value === "string" ? Buffer.from(value, "utf8") : Buffer.from(value.base64, "base64");

let count = 0;
let wrong = 0;
for (const file of readdirSync(HERE).filter((name) => name.endsWith(".json")).sort()) {
  for (const vector of JSON.parse(readFileSync(join(HERE, file), "utf8"))) {
    count++;
    const record = vector.record && {
      key: dataOf(vector.record.key), value: dataOf(vector.record.value),
      headers: (vector.record.headers ?? []).map(([name, value]) => [name, dataOf(value)]),
    };
    const computed = vector.input === undefined
      ? identify(record, vector.recipe)
      : { hash: siphash128(Buffer.from(vector.key, "hex"), Buffer.from(vector.input, "hex")).toString("hex") };
    const sorted = (object) => JSON.stringify(Object.entries(object ?? {}).sort());
    if (sorted(computed) !== sorted(vector.expected)) {
      wrong++;
      console.log(`${file}: ${vector.name}\n  file:     ${JSON.stringify(vector.expected)}\n  computed: ${JSON.stringify(computed)}`);
    }
  }
}
console.log(wrong ? `${wrong} of ${count} vectors differ` : `${count} vectors ok`);
process.exit(wrong ? 1 : 0);
