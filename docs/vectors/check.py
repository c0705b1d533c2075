#!/usr/bin/env python3
"""Recomputes the identity test vectors with nothing but Python's standard library.

usage: check.py          compares every vector, prints "N vectors ok", exits 1 on a difference
       check.py --fill   writes what it computes into the files (after adding a record and a recipe)

docs/recipes.md explains the rules; this is the shortest program that follows them.
"""
import base64, glob, hashlib, json, os, re, struct, sys

HERE = os.path.dirname(os.path.abspath(__file__))
M64 = (1 << 64) - 1


class Malformed(Exception):
    """The text is not JSON."""


class Missing(Exception):
    """There is no ID; the argument is the reason."""


# ---- SipHash-2-4, 128 bits -------------------------------------------------------------------------------------------------
def siphash128(key, data):
    def rotl(x, n):
        return ((x << n) | (x >> (64 - n))) & M64

    def rounds(v, n):
        for _ in range(n):
            v[0] = (v[0] + v[1]) & M64; v[1] = rotl(v[1], 13) ^ v[0]; v[0] = rotl(v[0], 32)
            v[2] = (v[2] + v[3]) & M64; v[3] = rotl(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & M64; v[3] = rotl(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & M64; v[1] = rotl(v[1], 17) ^ v[2]; v[2] = rotl(v[2], 32)

    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D ^ 0xEE, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]
    tail = len(data) - len(data) % 8
    words = [struct.unpack_from("<Q", data, i)[0] for i in range(0, tail, 8)]
    words.append(int.from_bytes(data[tail:], "little") | (len(data) & 0xFF) << 56)
    for m in words:
        v[3] ^= m
        rounds(v, 2)
        v[0] ^= m
    v[2] ^= 0xEE
    rounds(v, 4)
    first = v[0] ^ v[1] ^ v[2] ^ v[3]
    v[1] ^= 0xDD
    rounds(v, 4)
    return struct.pack("<QQ", first, v[0] ^ v[1] ^ v[2] ^ v[3])


# ---- JSON that keeps number literals and repeated names --------------------------------------------------------------------
class Num(str):
    """A number literal."""


class Obj(list):
    """Members as (name, value), repeated names included."""


NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
STRING = re.compile(r'"((?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*)"')
ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))")
SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def text_of(payload):
    try:
        return payload.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed()


class Reader:
    """Reads JSON from the front, no further than asked; white space is passed over before each token."""

    def __init__(self, text):
        self.text, self.at = text, 0

    def peek(self):
        while self.text[self.at:self.at + 1] in (" ", "\t", "\r", "\n") and self.at < len(self.text):
            self.at += 1
        return self.text[self.at:self.at + 1]

    def take(self, c):
        if self.peek() != c:
            raise Malformed()
        self.at += 1

    def string(self):
        self.peek()
        match = STRING.match(self.text, self.at)
        if not match:
            raise Malformed()
        self.at = match.end()
        raw = ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else SHORT.get(m[2], m[2]), match[1])
        # Two escaped halves are one character; half a pair stays what it is.
        return raw.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")

    def value(self):
        c = self.peek()
        if c == '"':
            return self.string()
        if c == "{":
            return Obj(self.members())
        if c == "[":
            return list(self.elements())
        for word, value in (("true", True), ("false", False), ("null", None)):
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return value
        match = NUMBER.match(self.text, self.at)
        if not match:
            raise Malformed()
        self.at = match.end()
        return Num(match[0])

    def names(self):
        """Yields each name with the reader before its value; the value must be read before the next name."""
        self.take("{")
        if self.peek() == "}":
            self.at += 1
            return
        while True:
            name = self.string()
            self.take(":")
            yield name
            if self.peek() == "}":
                self.at += 1
                return
            self.take(",")

    def members(self):
        for name in self.names():
            yield name, self.value()

    def indexes(self):
        self.take("[")
        if self.peek() == "]":
            self.at += 1
            return
        index = 0
        while True:
            yield index
            index += 1
            if self.peek() == "]":
                self.at += 1
                return
            self.take(",")

    def elements(self):
        for _ in self.indexes():
            yield self.value()

    def end(self):
        if self.peek() != "":
            raise Malformed()


def json_text(payload):
    if len(payload) >= 5 and payload[0] == 0:
        payload = payload[5:]
    if payload.startswith(b"\xef\xbb\xbf"):
        payload = payload[3:]
    return text_of(payload)


def parse_path(path):
    steps = re.findall(r"\.([^.\[]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]", path[1:])
    return [int(index) if index else name or quoted.replace("\\'", "'") for name, index, quoted in steps]


def at_path(payload, path):
    """The value at a path; the first member of a name decides and nothing behind the value is read."""
    reader, steps = Reader(json_text(payload)), parse_path(path)
    for step in steps:
        c = reader.peek()
        if c != ("[" if isinstance(step, int) else "{"):
            if c not in ("{", "["):
                reader.value()
            raise Missing("no-id")
        for found in reader.indexes() if isinstance(step, int) else reader.names():
            if found == step:
                break
            reader.value()
        else:
            raise Missing("no-id")
    value = reader.value()
    if not steps:
        reader.end()
    elif reader.peek() not in (",", "}", "]") or reader.peek() == "":
        raise Malformed()
    return value


# ---- canonical JSON --------------------------------------------------------------------------------------------------------
def decimal(literal):
    """Significant digits and n of 0.ddd * 10^n; no digits for zero."""
    mantissa, _, exponent = literal.lstrip("-").lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    n = len(whole) - (len(whole + fraction) - len(digits)) + int(exponent or 0)
    return digits.rstrip("0"), n


def es_format(digits, n):
    """Number::toString of ECMAScript."""
    if len(digits) <= n <= 21:
        return digits + "0" * (n - len(digits))
    if 0 < n <= 21:
        return digits[:n] + "." + digits[n:]
    if -6 < n <= 0:
        return "0." + "0" * -n + digits
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{mantissa}e{'+' if n > 0 else '-'}{abs(n - 1)}"


def number(literal):
    if re.fullmatch(r"-?\d+", literal):
        return "0" if literal == "-0" else literal
    exponent = re.split("[eE]", literal)
    digits, _ = decimal(literal if len(exponent) == 1 else exponent[0])
    if digits == "":
        return "0"
    if len(exponent) == 2 and len(exponent[1].lstrip("+-").lstrip("0")) > 9:
        return literal.replace("E", "e")
    digits, n = decimal(literal)
    sign = "-" if literal[0] == "-" else ""
    double = abs(float(literal))
    if len(digits) <= 17 and 0 < double < float("inf"):
        shortest = decimal(repr(double))
        integral_beyond = n >= len(digits) and double >= 2 ** 53
        if shortest == (digits, n) or not integral_beyond:
            return sign + es_format(*shortest)
    return sign + es_format(digits, n)


def quote(text):
    out = json.dumps(text, ensure_ascii=False)
    return re.sub("[\ud800-\udfff]", lambda m: f"\\u{ord(m[0]):04x}", out)


def units(text):
    return text.encode("utf-16-be", "surrogatepass")


def jcs(value):
    if isinstance(value, Num):
        return number(value)
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, Obj):
        members = sorted(value, key=lambda m: units(m[0]))  # stable: repeated names keep their order
        return "{" + ",".join(quote(k) + ":" + jcs(v) for k, v in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(jcs, value)) + "]"
    return {True: "true", False: "false", None: "null"}[value]


def python_value(value):
    """What json.loads makes of it."""
    if isinstance(value, Num):
        return int(value) if re.fullmatch(r"-?\d+", value) else float(value)
    if isinstance(value, Obj):
        return {k: python_value(v) for k, v in value}
    return [python_value(v) for v in value] if isinstance(value, list) else value


GONE = object()


def project(value, steps, include, exclude, included, found):
    """What counts of a value: under include paths (all when there are none), without exclude paths."""
    if steps in exclude:
        return GONE
    if steps in include:
        included = True
        if value is not None:
            found.add(steps)
    if isinstance(value, Obj):
        kept = [(k, project(v, steps + (k,), include, exclude, included, found)) for k, v in value]
        kept = Obj((k, v) for k, v in kept if v is not GONE)
    elif isinstance(value, list):
        kept = [project(v, steps + (i,), include, exclude, included, found) for i, v in enumerate(value)]
        kept = [v for v in kept if v is not GONE]
    else:
        return value if included else GONE
    above = any(path[:len(steps)] == steps for path in include)
    return kept if included or above else GONE


def has_repeated(value):
    if isinstance(value, Obj):
        names = [k for k, _ in value]
        return len(names) != len(set(names)) or any(has_repeated(v) for _, v in value)
    return isinstance(value, list) and any(has_repeated(v) for v in value)


def as_list(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def content(payload, options, last):
    """The bytes that are hashed."""
    options = options or {}
    on_missing = options.get("on-missing", "raw" if last else "next")
    framing = options.get("framing", "auto")
    framed = len(payload) >= 5 and payload[0] == 0
    try:
        if framed and framing == "none":
            raise Malformed()
        text = json_text(payload)
        if framed and framing == "auto" and text.lstrip(" \t\r\n")[:1] not in ("{", "["):
            raise Malformed()
        reader = Reader(text)
        value = reader.value()
        reader.end()
        include = {tuple(parse_path(p)) for p in as_list(options.get("include"))}
        exclude = {tuple(parse_path(p)) for p in as_list(options.get("exclude"))}
        found = set()
        value = project(value, (), include, exclude, not include, found)
        if found != include:
            raise Missing("content-path-missing")
        if options.get("canonical") != "python":
            return jcs(value).encode("utf-8")
        if include and has_repeated(value):
            raise Missing("content-path-missing")
        data = python_value(value)
        separators = tuple(options.get("separators", (", ", ": ")))
        ensure_ascii = options.get("ensure-ascii", True)
        try:
            return json.dumps(data, sort_keys=True, separators=separators, ensure_ascii=ensure_ascii).encode()
        except UnicodeEncodeError:
            raise Malformed()
    except (Malformed, Missing) as problem:
        if on_missing == "raw":
            return payload[5:] if framed and framing == "schema-registry" else payload
        error = Missing(problem.args[0] if isinstance(problem, Missing) else "malformed-json")
        error.final = on_missing == "quarantine"
        raise error


# ---- recipes ---------------------------------------------------------------------------------------------------------------
KINDS = ["bytes", "json", "content", "join"]


def split(source):
    if isinstance(source, str):
        kind, _, value = source.partition(":")
        return kind, value.strip() or None
    return next(iter(source.items()))


def header(record, name):
    values = [v for n, v in record["headers"] if n == name and v is not None]
    return values[-1] if values else None


def read(source, record, last):
    """Kind, ID, and the bytes that were hashed for it."""
    kind, value = split(source)
    if kind == "key":
        if record["key"] is None:
            raise Missing("null-key")
        return 0, record["key"], record["key"]
    if kind == "header":
        found = header(record, value)
        if not found:
            raise Missing("no-id")
        return 0, found, found
    if kind == "json":
        if record["value"] is None:
            raise Missing("no-id")
        try:
            found = at_path(record["value"], value)
        except Malformed:
            raise Missing("malformed-json")
        if found is None or isinstance(found, bool) or (found == "" or found == []):
            raise Missing("no-id")
        if isinstance(found, str) and not isinstance(found, Num):
            id = found.encode("utf-8", "surrogatepass")
            return 0, id, id
        id = jcs(found).encode("utf-8")
        return 1, id, id
    if kind == "content":
        if not record["value"]:
            raise Missing("no-id")
        hashed = content(record["value"], value, last)
        return 2, hashlib.sha256(hashed).digest(), hashed
    id = b""
    for part in value:
        part_kind, part_id, _ = read(part, record, last)
        id += struct.pack("<BI", part_kind, len(part_id)) + part_id
    return 3, id, id


def scope_text(source, record):
    kind, value = split(source)
    try:
        if kind == "value":
            return value.encode()
        if kind == "key":
            return record["key"] or b""
        if kind == "header":
            return header(record, value) or b""
        if record["value"] is None:
            return b""
        found = at_path(record["value"], value)
    except (Missing, Malformed):
        return b""
    if isinstance(found, str) and not isinstance(found, Num):
        return found.encode("utf-8", "surrogatepass")
    return b"" if found is None or isinstance(found, list) else jcs(found).encode()


def escape(part):
    return part.replace(b"%", b"%25").replace(b":", b"%3A") + b":"


def identify(record, recipe):
    scope, parts, frame = recipe.get("scope"), {}, b""
    if scope is not None:
        for name in ("tenant", "service", "type"):
            source = dict(scope[name]) if isinstance(scope.get(name), dict) else scope.get(name)
            required = source.pop("required", False) if isinstance(source, dict) else False
            parts[name] = scope_text(source, record) if source else b""
            if required and not parts[name]:
                return {"reason": "scope-missing"}
            frame += struct.pack("<I", len(parts[name])) + parts[name]
    chain, reason = as_list(recipe["id"]), None
    for position, source in enumerate(chain):
        try:
            kind, id, hashed = read(source, record, position == len(chain) - 1)
        except Missing as missing:
            weak = ("no-id", "null-key")
            if getattr(missing, "final", False):
                return {"reason": missing.args[0]}
            if reason is None or (reason in weak and missing.args[0] not in weak):
                reason = missing.args[0]
            elif reason == "null-key":
                reason = "no-id"
            continue
        tag = position << 2 | kind
        frame = bytes([tag | (0x80 if scope is not None else 0)]) + frame + id
        if kind == 2:
            shown = id
        else:
            shown = hashlib.sha256(id if tag == 0 else bytes([0xFF, tag]) + id).digest()
        tenant = parts.get("tenant", b"")
        visible = escape(tenant) if tenant else b""
        visible += escape(recipe.get("id-prefix", "dedup").encode())
        visible += escape(parts.get("service", b"")) + escape(parts.get("type", b"")) + shown.hex().encode()
        return {
            "reason": "none",
            "source": position,
            "kind": KINDS[kind],
            "canonical": show(hashed),
            "id": id.hex(),
            "frame": frame.hex(),
            "hash": siphash128(bytes(16), frame).hex(),
            "visible": show(visible),
        }
    return {"reason": reason}


# ---- files -----------------------------------------------------------------------------------------------------------------
def show(data):
    try:
        text = data.decode("utf-8")
        if all(c >= " " and c != "\x7f" for c in text):
            return text
    except UnicodeDecodeError:
        pass
    return {"base64": base64.b64encode(data).decode()}


def data_of(value):
    if value is None:
        return None
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value.encode("utf-8")


def record_of(vector):
    record = vector["record"]
    headers = [(name, data_of(value)) for name, value in record.get("headers", [])]
    return {"key": data_of(record.get("key")), "value": data_of(record.get("value")), "headers": headers}


def main():
    fill, count, wrong = "--fill" in sys.argv[1:], 0, 0
    for file in sorted(glob.glob(os.path.join(HERE, "*.json"))):
        with open(file, encoding="utf-8") as stream:
            vectors = json.load(stream)
        for vector in vectors:
            count += 1
            if "input" in vector:
                expected = {"hash": siphash128(bytes.fromhex(vector["key"]), bytes.fromhex(vector["input"])).hex()}
            else:
                expected = identify(record_of(vector), vector["recipe"])
            if fill:
                vector["expected"] = expected
            elif vector.get("expected") != expected:
                wrong += 1
                print(f"{os.path.basename(file)}: {vector['name']}\n  file:     {vector.get('expected')}\n  computed: {expected}")
        if fill:
            with open(file, "w", encoding="utf-8") as stream:
                stream.write("[\n" + ",\n".join("  " + json.dumps(v, ensure_ascii=True) for v in vectors) + "\n]\n")
    print(f"{wrong} of {count} vectors differ" if wrong else f"{count} vectors ok")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
