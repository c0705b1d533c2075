using System.Buffers;
using System.Collections.Immutable;

namespace Dedup.Contracts.Changelog;

/// <summary>Wire format of a marker's usage by tenant.</summary>
/// <remarks>
/// <code>
/// n, n x bucket: class | index (zigzag)                     all numbers are varints
/// | others: as a tenant, with an empty name
/// | n, n x tenant
/// tenant: length, name | records | firsts | duplicates | over quota
///         | n, n x (index of the bucket | IDs) | rate clock + 1 | if not 0: rate level (zigzag)
/// </code>
/// Some 20 bytes and a name for a tenant: a marker with a thousand of them is written with each transaction.
/// </remarks>
public static class UsageCodec
{
    /// <summary>Most buckets: 32 are live, and some of windows that have been changed may be left.</summary>
    public const int MaxBuckets = 128;

    /// <summary>Appends the usage to <paramref name="writer"/>.</summary>
    public static void Write(MarkerUsage usage, ArrayBufferWriter<byte> writer)
    {
        ArgumentNullException.ThrowIfNull(usage);
        ArgumentNullException.ThrowIfNull(writer);
        Number(writer, usage.Buckets.Length);
        foreach (BucketId bucket in usage.Buckets)
        {
            Number(writer, bucket.Class);
            Number(writer, (long)Varint.ZigZag(bucket.Index));
        }

        Tenant(writer, usage.Others);
        Number(writer, usage.Tenants.Length);
        foreach (MarkerTenant tenant in usage.Tenants)
        {
            Tenant(writer, tenant);
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote; null when the bytes are nothing of it. Never throws.</summary>
    public static MarkerUsage? TryRead(ReadOnlySpan<byte> source)
    {
        var reader = new Reader(source);
        int count = reader.Count(bytesEach: 2);
        if (count > MaxBuckets)
        {
            return null;
        }

        var buckets = ImmutableArray.CreateBuilder<BucketId>(count);
        for (int i = 0; i < count; i++)
        {
            long windowClass = reader.Number();
            reader.Failed |= windowClass is < 0 or > ushort.MaxValue;
            buckets.Add(new BucketId((ushort)windowClass, Varint.UnZigZag((ulong)reader.Number())));
        }

        MarkerTenant others = reader.Tenant(count);
        int named = reader.Count(bytesEach: 7);
        var tenants = ImmutableArray.CreateBuilder<MarkerTenant>(named);
        for (int i = 0; i < named && !reader.Failed; i++)
        {
            tenants.Add(reader.Tenant(count));
        }

        return reader.Failed || !reader.IsAtEnd
            ? null
            : new MarkerUsage(buckets.ToImmutable(), others, tenants.ToImmutable());
    }

    private static void Tenant(ArrayBufferWriter<byte> writer, in MarkerTenant tenant)
    {
        Number(writer, tenant.Name.Length);
        writer.Write(tenant.Name.Span);
        Number(writer, tenant.Records);
        Number(writer, tenant.Firsts);
        Number(writer, tenant.Duplicates);
        Number(writer, tenant.OverQuota);
        Number(writer, tenant.Held.Count(static ids => ids != 0));
        for (int i = 0; i < tenant.Held.Length; i++)
        {
            if (tenant.Held[i] != 0)
            {
                Number(writer, i);
                Number(writer, tenant.Held[i]);
            }
        }

        Number(writer, tenant.RateClockMs + 1);
        if (tenant.RateClockMs >= 0)
        {
            Number(writer, (long)Varint.ZigZag(tenant.RateLevel));
        }
    }

    private static void Number(ArrayBufferWriter<byte> writer, long value) =>
        writer.Advance(Varint.Write(writer.GetSpan(Varint.MaxSize), (ulong)value));

    private ref struct Reader(ReadOnlySpan<byte> source)
    {
        private ReadOnlySpan<byte> _rest = source;

        public bool Failed { get; set; }

        public readonly bool IsAtEnd => _rest.IsEmpty;

        public long Number()
        {
            int length = Varint.Read(_rest, out ulong value);
            Failed |= length == 0;
            _rest = Failed ? [] : _rest[length..];
            return Failed ? 0 : (long)value;
        }

        /// <summary>How many follow; a number that the bytes cannot hold is none, since memory is sized by it.</summary>
        public int Count(int bytesEach)
        {
            long count = Number();
            Failed |= count < 0 || count > _rest.Length / bytesEach;
            return Failed ? 0 : (int)count;
        }

        public MarkerTenant Tenant(int buckets)
        {
            int length = Count(bytesEach: 1);
            byte[] name = _rest[..length].ToArray();
            _rest = _rest[length..];
            long records = Number();
            long firsts = Number();
            long duplicates = Number();
            long overQuota = Number();
            long[] held = new long[buckets];
            for (int n = Count(bytesEach: 2); n > 0 && !Failed; n--)
            {
                long bucket = Number();
                long ids = Number();
                Failed |= bucket < 0 || bucket >= buckets;
                if (!Failed)
                {
                    held[bucket] = ids;
                }
            }

            long clock = Number() - 1;
            return new MarkerTenant(
                name,
                records,
                firsts,
                duplicates,
                overQuota,
                [.. held],
                clock < 0 ? 0 : Varint.UnZigZag((ulong)Number()),
                Math.Max(-1, clock)
            );
        }
    }
}
