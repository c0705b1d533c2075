using System.Text;
using Dedup.Contracts.Headers;

namespace Dedup.Acceptance.Hostile;

/// <summary>What producers have sent at some time, or might: the parts that hostile records are made of.</summary>
internal static class HostileCorpus
{
    private const int DeepLevels = 2_000;

    /// <summary>Record keys; null is no key.</summary>
    public static readonly byte[]?[] Keys =
    [
        null,
        [],
        [0],
        [0xFF],
        [0xC3, 0x28],
        [0xED, 0xA0, 0x80],
        "order-1"u8.ToArray(),
        "ORDER-1"u8.ToArray(),
        "order-1 "u8.ToArray(),
        "e\u0301"u8.ToArray(),
        "\u00e9"u8.ToArray(),
        Encoding.UTF8.GetBytes(new string('k', 1_000)),
        // Beyond the longest ID.
        Encoding.UTF8.GetBytes(new string('k', 70_000)),
    ];

    /// <summary>Payloads; null is a tombstone.</summary>
    public static readonly byte[]?[] Values =
    [
        null,
        [],
        [0],
        [0xFF, 0xFE, 0xFD],
        .. new[]
        {
            " ",
            "null",
            "true",
            "0",
            "-",
            "\"",
            "{",
            "}",
            "[",
            "]",
            "{}",
            "[]",
            "{\"id\"",
            "{\"id\":",
            "{\"id\":1",
            "{\"id\":1}",
            "{\"id\":1.0}",
            "{\"id\":1e0}",
            "{\"id\":\"1\"}",
            "{\"id\":-0}",
            "{\"id\":1e400}",
            "{\"id\":1e-999999999999}",
            "{\"id\":0123}",
            "{\"id\":9007199254740993}",
            "{\"id\":1.000000000000000001}",
            "{\"id\":NaN}",
            "{\"id\":null}",
            "{\"id\":\"\"}",
            "{\"id\":{}}",
            "{\"id\":[]}",
            "{\"id\":{\"b\":2,\"a\":1}}",
            "{\"id\":\"\\ud800\"}",
            "{\"id\":\"\\udc00\\ud800\"}",
            "{\"id\":\"\\u0000\"}",
            "{\"id\":\"\\x\"}",
            "{\"id\":\"a\u0001b\"}",
            "{\"\\u0069d\":\"e1\"}",
            "{\"id\":\"e1\",\"id\":\"e2\"}",
            "{\"id\":\"e1\"} {\"id\":\"e2\"}",
            "{\"id\":\"e1\",}",
            "{\"id\":\"e1\"/* no */}",
            "\uFEFF{\"id\":\"bom\"}",
            "{\"a\":{\"b\":[{\"id\":7}]},\"type\":\"order.created\"}",
            "{\"type\":[1],\"id\":\"typed\"}",
        }.Select(Encoding.UTF8.GetBytes),
        // Invalid UTF-8 in a name, in a value.
        [.. "{\"id"u8, 0xFF, .. "\":1}"u8],
        [.. "{\"id\":\"a"u8, 0xC3, 0x28, .. "\"}"u8],
        // Schema Registry framing, whole, cut off, and before what is no JSON.
        [0, 0, 0, 0, 7, .. "{\"id\":\"framed\"}"u8],
        [0, 0, 0],
        [0, 0, 0, 0, 7],
        [0, 0, 0, 0, 7, 6, 0x61, 0x62],
        Encoding.UTF8.GetBytes(
            "{\"id\":" + new string('[', DeepLevels) + new string(']', DeepLevels) + "}"
        ),
        Encoding.UTF8.GetBytes(new string('{', DeepLevels)),
        Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"id\":", DeepLevels)) + "1"),
        Encoding.UTF8.GetBytes("{\"id\":\"" + new string('x', 70_000) + "\"}"),
        Encoding.UTF8.GetBytes(
            "{"
                + string.Join(',', Enumerable.Range(0, 500).Select(static i => $"\"k{i}\":{i}"))
                + "}"
        ),
        Encoding.UTF8.GetBytes("{\"id\":" + new string('9', 5_000) + "}"),
    ];

    /// <summary>Names and values of headers, in order.</summary>
    public static readonly (string Name, byte[]? Value)[][] Headers =
    [
        [],
        [("Event-Id", "h1"u8.ToArray())],
        [("Event-Id", [])],
        [("Event-Id", null)],
        [("Event-Id", "h1"u8.ToArray()), ("Event-Id", "h2"u8.ToArray()), ("Event-Id", null)],
        [("event-id", "lower"u8.ToArray())],
        [("Event-Id", [0xFF, 0x00, 0xC3, 0x28])],
        [("tenant", "acme"u8.ToArray()), ("Event-Id", "h1"u8.ToArray())],
        [("tenant", [0xFF])],
        [("", "no name"u8.ToArray())],
        [("Schlüssel", "ü"u8.ToArray())],
        // Forged: what Dedup itself writes must not be believed when it comes in.
        [
            (HeaderNames.Reason, "no-id"u8.ToArray()),
            (HeaderNames.SourceTopic, "elsewhere"u8.ToArray()),
            (HeaderNames.SourcePartition, "-1"u8.ToArray()),
            (HeaderNames.SourceOffset, "99999999999999999999"u8.ToArray()),
            (HeaderNames.SourceTimestamp, "soon"u8.ToArray()),
            (HeaderNames.FirstOffset, null),
            (HeaderNames.Verdict, []),
        ],
        [.. Enumerable.Range(0, 300).Select(static i => ($"h{i % 7}", (byte[]?)[(byte)i]))],
        [("big", new byte[40_000])],
    ];

    /// <summary>Distance of a timestamp from now, in ms.</summary>
    public static readonly long[] Ages =
    [
        0,
        1,
        1_000,
        3_599_999,
        3_600_000,
        3_600_001,
        7_200_000,
        7_200_001,
        90L * 86_400_000,
        -1_000,
        -899_000,
        -901_000,
        -3_600_001,
        -86_400_000L,
        -200L * 365 * 86_400_000,
    ];
}
