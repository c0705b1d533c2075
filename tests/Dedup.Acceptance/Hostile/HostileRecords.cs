using System.Text;
using Confluent.Kafka;
using Dedup.Acceptance.Faults;

namespace Dedup.Acceptance.Hostile;

/// <summary>Hostile records without end: the corpus in all pairs of its parts, then parts drawn, cut, doubled, and flipped.</summary>
internal sealed class HostileRecords(FaultSeed seed, long nowMs)
{
    /// <summary>One of so many is beyond what the clean topic takes: known before it is tried.</summary>
    private const int HugeEvery = 10_000;

    private const int HugeBytes = 1_200_000;

    /// <summary>IDs that come again.</summary>
    private const int Ids = 20_000;

    private long _made;

    /// <summary>The next one.</summary>
    public Message<byte[]?, byte[]?> Next()
    {
        long n = _made++;
        int keys = HostileCorpus.Keys.Length;
        int values = HostileCorpus.Values.Length;
        if (n < (long)keys * values)
        {
            return Make(
                HostileCorpus.Keys[n % keys],
                HostileCorpus.Values[n / keys],
                HostileCorpus.Headers[(int)(n % HostileCorpus.Headers.Length)],
                HostileCorpus.Ages[(int)(n % HostileCorpus.Ages.Length)]
            );
        }

        if (n % HugeEvery == HugeEvery - 1)
        {
            return Make(Id("huge-"), new byte[HugeBytes], [], 0);
        }

        return Make(Key(), Value(), Headers(), Age());
    }

    private Message<byte[]?, byte[]?> Make(
        byte[]? key,
        byte[]? value,
        (string Name, byte[]? Value)[] headers,
        long ageMs
    )
    {
        var all = new Headers();
        foreach ((string name, byte[]? content) in headers)
        {
            all.Add(name, content);
        }

        return new Message<byte[]?, byte[]?>
        {
            Key = key,
            Value = value,
            Headers = all,
            Timestamp = new Timestamp(nowMs - ageMs, TimestampType.CreateTime),
        };
    }

    private (string Name, byte[]? Value)[] Headers() =>
        seed.Between(0, 10) switch
        {
            < 4 => [("Event-Id", Id("h-"))],
            < 6 => [("tenant", Noise(seed.Between(0, 3))), ("Event-Id", Mutated(Id("h-")))],
            _ => seed.One(HostileCorpus.Headers),
        };

    private byte[]? Key() =>
        seed.Between(0, 10) switch
        {
            < 6 => Id("k-"),
            < 8 => Mutated(seed.One(HostileCorpus.Keys)),
            _ => Noise(seed.Between(0, 40)),
        };

    private byte[]? Value() =>
        seed.Between(0, 10) switch
        {
            < 3 => Encoding.UTF8.GetBytes(
                $"{{\"type\":\"t{seed.Between(0, 4)}\",\"id\":\"v-{seed.Between(0, Ids)}\",\"n\":{seed.Between(0, 3)}}}"
            ),
            < 5 => Encoding.UTF8.GetBytes(
                $"{{\"a\":{{\"b\":[{{\"id\":{seed.Between(0, Ids)}.{seed.Between(0, 2)}}}]}}}}"
            ),
            < 8 => Mutated(seed.One(HostileCorpus.Values)),
            _ => Noise(seed.Between(0, 300)),
        };

    private byte[] Id(string prefix) => Encoding.ASCII.GetBytes($"{prefix}{seed.Between(0, Ids)}");

    private long Age() =>
        seed.Between(0, 20) == 0 ? seed.One(HostileCorpus.Ages) : seed.Between(-1_000, 1_800_000);

    private byte[] Noise(int length)
    {
        var bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            bytes[i] = (byte)seed.Next();
        }

        return bytes;
    }

    /// <summary>As it is, cut off, with a flipped bit, with something put in, or twice.</summary>
    private byte[]? Mutated(byte[]? bytes)
    {
        // The large ones stay seldom: they test limits, not throughput.
        if (bytes is not { Length: > 0 } || (bytes.Length > 10_000 && seed.Between(0, 50) > 0))
        {
            return bytes is { Length: > 10_000 } ? bytes[..100] : bytes;
        }

        int at = seed.Between(0, bytes.Length);
        switch (seed.Between(0, 5))
        {
            case 0:
                return bytes;
            case 1:
                return bytes[..at];
            case 2:
                byte[] flipped = [.. bytes];
                flipped[at] ^= (byte)(1 << seed.Between(0, 8));
                return flipped;
            case 3:
                return [.. bytes[..at], .. Noise(seed.Between(1, 4)), .. bytes[at..]];
            default:
                return [.. bytes, .. bytes];
        }
    }
}
