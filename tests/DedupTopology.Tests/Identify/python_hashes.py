"""Generates JSON documents and prints what Python's own json and hashlib make of them: base64 payload, then four digests.

usage: python_hashes.py SEED COUNT. A digest is "-" where Python fails to parse or encode.
"""
import base64, hashlib, json, random, sys

STYLES = [((", ", ": "), True), ((",", ":"), True), ((", ", ": "), False), ((",", ":"), False)]


def number(r):
    kind = r.randrange(9)
    if kind == 0:
        return str(r.randrange(-1000, 1000))
    if kind == 1:
        return str(r.randrange(-(10 ** 40), 10 ** 40))
    if kind == 2:
        return repr(r.uniform(-1e6, 1e6))
    if kind == 3:
        return f"{r.uniform(-10, 10):.{r.randrange(1, 25)}f}"
    if kind == 4:
        return f"{r.uniform(-10, 10):.{r.randrange(0, 25)}e}".replace("e", r.choice("eE"))
    if kind == 5:
        return f"{r.randrange(-99, 99)}e{r.choice(['', '+', '-'])}{r.randrange(0, 420)}"
    if kind == 6:
        return r.choice(["-0", "0", "-0.0", "0e1", "1.0", "1e0", "1e16", "1e15", "1E-4", "1e-5", "5e-324", "2e-324", "1e400",
                         "-1e400", "9007199254740993", "9007199254740993.0", "9999999999999998.0", "1e22", "1e23"])
    if kind == 7:
        return repr(r.random() * 10.0 ** r.randrange(-320, 308))
    return "0." + "0" * r.randrange(0, 30) + str(r.randrange(1, 10 ** 20))


ALPHABET = ["a", "b", "c", "Z", "0", " ", "~", "/", "\x7f", "\x80", "ä", "é", "ß", "€", "中", "\ud7ff", "\ue000", "\ufb33", "\uffff",
            "\U00010000", "😀", "\U0010ffff", "\u2028"]
ESCAPES = ["\\n", "\\t", "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\r", "\\u0041", "\\u00e9", "\\u20AC", "\\ud83d\\ude00", "\\u0000",
           "\\u001f", "\\u007f", "\\ue000", "\\ufb33"]


def string(r):
    parts = []
    for _ in range(r.choice([0, 1, 1, 2, 3, 5, 8, 20, 40])):
        parts.append(r.choice(ALPHABET) if r.random() < 0.8 else r.choice(ESCAPES))
    if r.random() < 0.01:
        parts.append(r.choice(["\\ud800", "\\udfff", "\\ud83dx", "\\ude00\\ud83d"]))
    return '"' + "".join(parts) + '"'


def blank(r):
    return r.choice(["", "", "", " ", "\n", "\t \r\n"])


def value(r, depth):
    kind = r.randrange(10 if depth < 5 else 6)
    if kind < 2:
        return number(r)
    if kind < 4:
        return string(r)
    if kind < 6:
        return r.choice(["true", "false", "null"])
    items = r.choice([0, 1, 2, 3, 5, 30 if depth < 2 else 4])
    if kind < 7:
        return "[" + ",".join(blank(r) + value(r, depth + 1) + blank(r) for _ in range(items)) + blank(r) + "]"
    members = [blank(r) + string(r) + blank(r) + ":" + blank(r) + value(r, depth + 1) + blank(r) for _ in range(items)]
    if members and r.random() < 0.05:
        members.append(r.choice(members))
    return "{" + ",".join(members) + blank(r) + "}"


def main():
    r = random.Random(int(sys.argv[1]))
    for _ in range(int(sys.argv[2])):
        payload = (blank(r) + value(r, 0) + blank(r)).encode("utf-8")
        if r.random() < 0.05:
            at = r.randrange(len(payload))
            payload = payload[:at] + bytes([r.randrange(256)]) + payload[at + r.randrange(2):]
        digests = []
        for separators, ascii in STYLES:
            try:
                data = json.loads(payload.decode("utf-8"), parse_constant=reject)
                text = json.dumps(data, sort_keys=True, separators=separators, ensure_ascii=ascii)
                digests.append(hashlib.sha256(text.encode()).hexdigest())
            except ValueError:
                digests.append("-")
        print(base64.b64encode(payload).decode(), *digests)


def reject(name):
    """NaN and Infinity are Python's, not JSON's."""
    raise ValueError(name)


if __name__ == "__main__":
    main()
