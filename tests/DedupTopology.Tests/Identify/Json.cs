using System.Globalization;
using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace DedupTopology.Tests.Identify;

/// <summary>A JSON value as a test knows it; it can be written in many ways that mean the same.</summary>
internal abstract record Json
{
    private static readonly string[] Texts =
    [
        "",
        "a",
        "b",
        "ab",
        "event_id",
        "\u0001",
        "\"",
        "\\",
        "é",
        "€",
        "😀",
        "\uE000",
        "\n",
        "Z",
    ];

    private static readonly string[][] Numbers =
    [
        ["0", "-0", "0.0", "0e3"],
        ["1", "1.0", "1e0", "10e-1", "0.1E1"],
        ["-1", "-1.0", "-100E-2"],
        ["12.5", "1.25e1", "12.50"],
        ["9007199254740993"],
        ["9007199254740992", "9007199254740992.0"],
        ["1e400", "10e399", "0.1E+401"],
        ["1e-7", "0.0000001"],
        ["1.000000000000000001", "1.0000000000000000010"],
        ["1.000000000000000002"],
        ["1e+30", "1E30"],
    ];

    public static Gen<Json> Any { get; } = Gen.Sized(static size => Sized(Math.Min(size, 40)));

    /// <summary>Writes the value; another seed gives another order of members, other white space, escapes, and number forms.</summary>
    public string Write(int seed)
    {
        StringBuilder text = new();
        Write(text, seed == 0 ? null : new Random(seed));
        return text.ToString();
    }

    public abstract bool Same(Json other);

    protected abstract void Write(StringBuilder text, Random? random);

    private static Gen<Json> Sized(int size)
    {
        Gen<Json> scalar = Gen.OneOf(
            Gen.Elements(Texts).Select(static t => (Json)new Text(t)),
            Gen.Choose(0, Numbers.Length - 1).Select(static n => (Json)new Number(n)),
            Gen.Elements("true", "false", "null").Select(static w => (Json)new Word(w))
        );
        if (size <= 1)
        {
            return scalar;
        }

        Gen<Json> inner = Sized(size / 3);
        Gen<int> count = Gen.Choose(0, 5);
        return Gen.OneOf(
            scalar,
            from n in count
            from items in inner.ArrayOf(n)
            select (Json)new Items(items),
            from n in count
            from members in Gen.Zip(Gen.Elements(Texts), inner).ArrayOf(n)
            select (Json)new Members([.. members.DistinctBy(static m => m.Item1)])
        );
    }

    private static void Blank(StringBuilder text, Random? random) =>
        text.Append(random is null ? "" : new[] { "", "", " ", "\n\t", "\r " }[random.Next(5)]);

    private static void Quote(StringBuilder text, string value, Random? random)
    {
        text.Append('"');
        foreach (char c in value)
        {
            bool must = c is '"' or '\\' or < ' ';
            if (must || random?.Next(4) == 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            }
            else
            {
                text.Append(c);
            }
        }

        text.Append('"');
    }

    // A half of a pair escaped and the other one raw would be no UTF-8, so pairs are escaped whole or not at all.
    private static void QuotePairs(StringBuilder text, string value, Random? random) =>
        Quote(text, value, value.Any(char.IsSurrogate) ? null : random);

    private sealed record Word(string Value) : Json
    {
        public override bool Same(Json other) => other is Word word && word.Value == Value;

        protected override void Write(StringBuilder text, Random? random) => text.Append(Value);
    }

    private sealed record Number(int Value) : Json
    {
        public override bool Same(Json other) => other is Number number && number.Value == Value;

        protected override void Write(StringBuilder text, Random? random) =>
            text.Append(Numbers[Value][random?.Next(Numbers[Value].Length) ?? 0]);
    }

    private sealed record Text(string Value) : Json
    {
        public override bool Same(Json other) => other is Text text && text.Value == Value;

        protected override void Write(StringBuilder text, Random? random) =>
            QuotePairs(text, Value, random);
    }

    private sealed record Items(Json[] Values) : Json
    {
        public override bool Same(Json other) =>
            other is Items items
            && items.Values.Length == Values.Length
            && Values.Zip(items.Values).All(static pair => pair.First.Same(pair.Second));

        protected override void Write(StringBuilder text, Random? random)
        {
            text.Append('[');
            for (int i = 0; i < Values.Length; i++)
            {
                text.Append(i > 0 ? "," : "");
                Blank(text, random);
                Values[i].Write(text, random);
                Blank(text, random);
            }

            text.Append(']');
        }
    }

    private sealed record Members((string Name, Json Value)[] Values) : Json
    {
        public override bool Same(Json other) =>
            other is Members members
            && members.Values.Length == Values.Length
            && Array.TrueForAll(
                Values,
                mine =>
                    Array.Exists(
                        members.Values,
                        m => m.Name == mine.Name && m.Value.Same(mine.Value)
                    )
            );

        protected override void Write(StringBuilder text, Random? random)
        {
            (string Name, Json Value)[] order = [.. Values];
            random?.Shuffle(order);
            text.Append('{');
            for (int i = 0; i < order.Length; i++)
            {
                text.Append(i > 0 ? "," : "");
                Blank(text, random);
                QuotePairs(text, order[i].Name, random);
                Blank(text, random);
                text.Append(':');
                Blank(text, random);
                order[i].Value.Write(text, random);
                Blank(text, random);
            }

            text.Append('}');
        }
    }
}
