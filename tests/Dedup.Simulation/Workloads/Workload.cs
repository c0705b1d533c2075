using System.Text;
using Dedup.Simulation.Broker;
using Dedup.Simulation.Chance;
using Dedup.Simulation.Scenarios;
using Dedup.Simulation.Worlds;

namespace Dedup.Simulation.Workloads;

/// <summary>Writes the input topic: skewed IDs, repeats near and far, times out of order, and what nobody should send.</summary>
public sealed class Workload
{
    private const long InputProducerId = 7;

    private readonly Scenario _scenario;
    private readonly ModelCluster _cluster;
    private readonly Rng _rng;
    private readonly Rng _tenants;
    private readonly Values _values;
    private readonly List<byte[]> _ids = [];
    private readonly Dictionary<string, long> _times = [];
    private readonly int _idBound;
    private readonly int _repeatPercent;
    private readonly int _hostilePercent;
    private readonly int _disorder;
    private int _written;
    private long _latestMs;

    /// <summary>Makes the workload of a scenario.</summary>
    public Workload(Scenario scenario, ModelCluster cluster)
    {
        _scenario = scenario;
        _cluster = cluster;
        _rng = Rng.For(scenario.Seed, 0x3082_10AD);
        _tenants = Rng.For(scenario.Seed, 0x7E4A_4702);
        _values = new Values(scenario, _rng);
        _idBound = 1 + _rng.Skewed(scenario.Records * 2);
        _repeatPercent = _rng.Below(90);
        _hostilePercent = scenario.IsHostile ? 1 + _rng.Skewed(30) : 0;
        _disorder = _rng.Below(4);
    }

    /// <summary>Whether everything has been written.</summary>
    public bool IsDone => _written >= _scenario.Records;

    /// <summary>Begins to write, in bursts spread over the storm.</summary>
    public void Start() => _cluster.World.After(0, Burst);

    /// <summary>Writes some more records, all to one partition.</summary>
    public void WriteMore(int partition, int count)
    {
        for (int i = 0; i < count; i++)
        {
            _cluster.Log(_scenario.Spec.Input, partition)!.AppendPlain(Next().Record);
        }
    }

    /// <summary>
    /// A last burst to every partition: where nothing is left to do, nothing shows that it is done. In some a record that clean
    /// refuses comes with others right behind it, so that the lane cannot get past it by chance, in a transaction of its own.
    /// </summary>
    public void WriteToAll()
    {
        for (int partition = 0; partition < _scenario.Partitions; partition++)
        {
            WriteMore(partition, _rng.Between(1, 6));
            if (_scenario.IsHostile && _rng.OneIn(3))
            {
                ModelRecord refused = Next(_scenario.MaxMessageBytes).Record;
                _cluster.Log(_scenario.Spec.Input, partition)!.AppendPlain(refused);
                WriteMore(partition, _rng.Between(1, 12));
            }
        }
    }

    private World World => _cluster.World;

    private void Burst()
    {
        if (IsDone)
        {
            return;
        }

        int size = Math.Min(1 + _rng.Skewed(80), _scenario.Records - _written);
        if (_scenario.IsInputTransactional && _rng.Percent(40))
        {
            WriteTransaction(size);
        }
        else
        {
            for (int i = 0; i < size; i++)
            {
                (int partition, ModelRecord record) = Next();
                _cluster.Log(_scenario.Spec.Input, partition)!.AppendPlain(record);
            }
        }

        long meanGapMs = Math.Max(1, _scenario.StormMs * (long)size / _scenario.Records);
        World.After(_rng.Between(0, 2 * meanGapMs), Burst);
    }

    /// <summary>A transaction of the upstream producer, which may abort: its records are never seen, but take offsets.</summary>
    private void WriteTransaction(int size)
    {
        var touched = new SortedSet<int>();
        for (int i = 0; i < size; i++)
        {
            (int partition, ModelRecord record) = Next();
            _cluster
                .Log(_scenario.Spec.Input, partition)!
                .AppendTransactional(record, InputProducerId, 0, "upstream");
            touched.Add(partition);
        }

        // Ends before the next burst can begin: one transaction of a producer at a time.
        bool commit = _rng.Percent(70);
        foreach (int partition in touched)
        {
            _cluster.Log(_scenario.Spec.Input, partition)!.AppendMarker(InputProducerId, 0, commit);
        }
    }

    private (int Partition, ModelRecord Record) Next(int? valueLength = null)
    {
        int number = _written++;
        byte[]? key = NextId();
        int partition = PartitionOf(key);
        bool isHostile = _rng.Percent(_hostilePercent);
        byte[]? own = isHostile && _rng.OneIn(8) ? null : key;
        // With a time in the payload the record's own says little.
        bool isInPayload = _scenario.Spec.Time.Payload is not null;
        long eventMs = isInPayload ? Behind(partition, NextTime(key, isHostile)) : 0;
        byte[]? value = valueLength is { } length
            ? _values.Numbered(number, length, eventMs)
            : _values.Next(number, key, eventMs, isHostile);
        ModelHeader[] tenant = NextTenant();
        ModelHeader[] headers = NextHeaders(isHostile);
        var record = new ModelRecord
        {
            Key = own,
            Value = value,
            Headers = [.. tenant, .. headers],
            TimestampMs = isInPayload
                ? OwnTime(isHostile)
                : Behind(partition, NextTime(key, isHostile)),
        };
        World.Trace.Mix(Point.Produce, partition, number, record.TimestampMs);
        if (World.Trace.On)
        {
            string id = record.Key is null ? "null" : Encoding.Latin1.GetString(record.Key);
            string what =
                $"#{number} for {partition}: key {id} size {record.Size} time {record.TimestampMs - ModelTime.EpochMs}";
            World.Trace.Line(World.NowMs, "input", what);
        }

        return (partition, record);
    }

    private long Behind(int partition, long timeMs) =>
        _scenario.IsById && timeMs > 1_000
            ? Math.Max(1, timeMs - _scenario.BehindMs[partition])
            : timeMs;

    private byte[] NextId()
    {
        if (_ids.Count > 0 && _rng.Percent(_repeatPercent))
        {
            // Near: one of the last few; far: any, the early ones more often.
            int index = _rng.Percent(60)
                ? _ids.Count - 1 - Math.Min(_ids.Count - 1, _rng.Skewed(20))
                : _rng.Skewed(_ids.Count - 1);
            return _ids[index];
        }

        byte[] id =
            _ids.Count == 0 ? []
            : _rng.OneIn(50) ? [(byte)_rng.Below(256), 0xFF, 0x00]
            : Encoding.UTF8.GetBytes($"order-{_rng.Below(_idBound)}");
        _ids.Add(id);
        return id;
    }

    /// <summary>An ID mostly arrives in one partition, as with the default partitioner; now and then it does not.</summary>
    private int PartitionOf(byte[] key)
    {
        if (_scenario.IsById ? _rng.OneIn(2) : _rng.OneIn(30))
        {
            return _rng.Below(_scenario.Partitions);
        }

        uint hash = 17;
        foreach (byte b in key)
        {
            hash = (hash * 31) + b;
        }

        return (int)(hash % (uint)_scenario.Partitions);
    }

    private ModelHeader[] NextTenant()
    {
        string tenant = _scenario.Spec.Quota is null ? "" : Quotas.Pick(_tenants);
        return tenant.Length == 0
            ? []
            :
            [
                new ModelHeader(
                    Encoding.UTF8.GetBytes(Quotas.Header),
                    Encoding.UTF8.GetBytes(tenant)
                ),
            ];
    }

    private ModelHeader[] NextHeaders(bool isHostile)
    {
        if (!_rng.OneIn(5))
        {
            return [];
        }

        var headers = new ModelHeader[_rng.Between(1, 4)];
        for (int i = 0; i < headers.Length; i++)
        {
            byte[] name = isHostile
                ? [(byte)_rng.Below(256)]
                : Encoding.UTF8.GetBytes($"h{_rng.Below(2)}");
            headers[i] = new ModelHeader(name, _rng.OneIn(4) ? null : [(byte)_rng.Below(256)]);
        }

        return headers;
    }

    private long NextTime(byte[] key, bool isHostile)
    {
        string id = Convert.ToHexString(key);
        long timeMs =
            _times.TryGetValue(id, out long beforeMs) && _rng.OneIn(12)
                ? AtAnEdge(beforeMs)
                : AnyTime(isHostile);
        _times[id] = timeMs;
        _latestMs = Math.Max(_latestMs, isHostile ? 0 : timeMs);
        return timeMs;
    }

    /// <summary>The timestamp where the payload's time counts: anything, but what no topic takes only now and then.</summary>
    private long OwnTime(bool isHostile) =>
        isHostile && _rng.OneIn(8)
            ? -_rng.Below(2)
            : ModelTime.EpochMs + _rng.Between(0, 2 * World.NowMs);

    /// <summary>Just on or just beyond where a verdict changes: a window from the one before, grace behind the clock, the end of an entry.</summary>
    private long AtAnEdge(long beforeMs)
    {
        long windowMs = _scenario.Spec.Windows[0].WindowMs;
        long graceMs = _scenario.Spec.Windows[0].GraceMs;
        long wallMs = ModelTime.EpochMs + World.NowMs;
        if (_scenario.BucketMs > 0 && _rng.OneIn(2))
        {
            long bucket = (beforeMs / _scenario.BucketMs) + _rng.Between(-1, 2);
            return Math.Min((bucket * _scenario.BucketMs) - _rng.Below(2), wallMs);
        }

        long edgeMs = _rng.Below(4) switch
        {
            0 => beforeMs + windowMs,
            1 => beforeMs - windowMs,
            2 => _latestMs - graceMs,
            _ => beforeMs + windowMs + graceMs,
        };
        return Math.Min(edgeMs + _rng.Between(-1, 1), wallMs);
    }

    private long AnyTime(bool isHostile)
    {
        long wallMs = ModelTime.EpochMs + World.NowMs;
        long windowMs = _scenario.Spec.Windows[0].WindowMs;
        if (isHostile)
        {
            switch (_rng.Below(8))
            {
                case 0:
                    return 0;
                case 1:
                    return -1;
                case 2:
                    return _rng.Between(1L, 1000L);
                case 3:
                    return wallMs + (10L * 365 * 86_400_000);
                case 4:
                    return wallMs + _rng.Between(0, 2 * _scenario.Spec.MaxFutureMs);
                case 5:
                    return wallMs - _rng.Between(0, 20 * windowMs);
                default:
                    break;
            }
        }

        return _disorder switch
        {
            0 => wallMs,
            1 => wallMs - _rng.Below((int)Math.Min(int.MaxValue, windowMs / 4)),
            2 => wallMs - _rng.Between(0, 3 * windowMs),
            _ => wallMs - _rng.Skewed((int)Math.Min(1 << 29, 8 * windowMs)),
        };
    }
}
