using System.Globalization;
using System.Text;
using Dedup.Contracts.Headers;
using Dedup.Contracts.Identity;
using Dedup.Contracts.Rekey;
using Dedup.Simulation.Broker;
using Dedup.Simulation.Runs;
using Dedup.Simulation.Scenarios;
using Dedup.Topology.Pipelines;

namespace Dedup.Simulation.Checkers;

/// <summary>
/// Both hops of by-id from outside. The first: every input record stands between the hops exactly once, unchanged, in the
/// partition of its ID, in order, with the clock of its partition. The second: the verdicts of the definition over each
/// partition between the hops, in its order, by clocks calculated once more; and the outputs hold exactly that.
/// </summary>
public sealed class ByIdChecker
{
    private readonly SimulatedRun _run;
    private readonly Scenario _scenario;
    private readonly Dictionary<(int Partition, long Offset), LogEntry> _inputs = [];
    private readonly Dictionary<(int Partition, long Offset), Handed> _handed = [];
    private readonly Dictionary<(int, long), (string Reason, ModelRecord Record)> _quarantined = [];

    /// <summary>Makes a checker.</summary>
    public ByIdChecker(SimulatedRun run)
    {
        _run = run;
        _scenario = run.Scenario;
    }

    private PipelineSpec Spec => _scenario.Spec;

    private IReadOnlyList<ModelLog> Between => _run.Cluster.Topic(Spec.Repartition).Logs;

    /// <summary>Checks; throws at the first violation.</summary>
    public void Check()
    {
        foreach (ModelLog log in _run.Cluster.Topic(Spec.Input).Logs)
        {
            foreach (LogEntry entry in log.Archive.Where(static e => e.IsVisible))
            {
                _inputs.Add((log.Partition, entry.Offset), entry);
            }
        }

        ReadQuarantine();
        CheckFirstHop();
        CheckClocks();
        CheckSecondHop();
    }

    private void ReadQuarantine()
    {
        foreach (ModelLog log in _run.Cluster.Topic(Spec.Quarantine).Logs)
        {
            foreach (LogEntry entry in log.Archive.Where(static e => e.IsVisible))
            {
                ModelRecord record = entry.Record!;
                (int, long) source = PlaceOf(record);
                if (!_quarantined.TryAdd(source, (Text(record, HeaderNames.Reason), record)))
                {
                    throw Broken("I1", $"{source} is in quarantine twice");
                }

                if (source.Item1 != log.Partition)
                {
                    throw Broken("I3", $"{source} is in partition {log.Partition} of quarantine");
                }
            }
        }
    }

    private void CheckFirstHop()
    {
        var last = new Dictionary<(int, int), long>();
        foreach (ModelLog log in Between)
        {
            foreach (LogEntry entry in log.Archive.Where(static e => e.IsVisible))
            {
                ModelRecord record = entry.Record!;
                if (!RekeyEnvelope.TryRead(record.Key, out RekeyEnvelope envelope))
                {
                    throw Broken("I3", $"{log.Partition}/{entry.Offset} has no envelope");
                }

                (int, long) place = (envelope.Partition, envelope.Offset);
                if (!_inputs.TryGetValue(place, out LogEntry? input))
                {
                    throw Broken("I3", $"{place} stands between the hops and is no input record");
                }

                if (!_handed.TryAdd(place, new Handed(envelope, record.TimestampMs)))
                {
                    throw Broken("I1", $"{place} stands between the hops twice");
                }

                CheckUnchanged(place, envelope, record, input.Record!, log.Partition);
                (int, int) route = (envelope.Partition, log.Partition);
                if (last.GetValueOrDefault(route, -1) >= envelope.Offset)
                {
                    throw Broken("I3", $"{place} stands behind {last[route]} in {log.Partition}");
                }

                last[route] = envelope.Offset;
            }
        }

        foreach (((int, long) place, LogEntry input) in _inputs)
        {
            // What the client refuses to send under the longer key never reaches the second hop.
            bool isTooLarge = input.Record!.Size + RekeyEnvelope.Size > _scenario.ClientMaxBytes;
            if (_handed.ContainsKey(place) == isTooLarge)
            {
                throw Broken(
                    "I2",
                    $"{place} of size {input.Record.Size} {(isTooLarge ? "stands" : "is missing")} between the hops"
                );
            }

            if (
                isTooLarge
                && (
                    !_quarantined.TryGetValue(place, out var held)
                    || held.Reason != ReasonText.Of(Reason.RefusedTooLarge)
                )
            )
            {
                throw Broken("I2", $"{place} is too large for the first hop and not in quarantine");
            }
        }
    }

    private void CheckUnchanged(
        (int, long) place,
        in RekeyEnvelope envelope,
        ModelRecord record,
        ModelRecord input,
        int partition
    )
    {
        bool isSame =
            envelope.KeyIsNull == input.Key is null
            && record.Key.AsSpan(RekeyEnvelope.Size).SequenceEqual(input.Key)
            && OutputChecker.AreSame(record.Value, input.Value)
            && OutputChecker.AreSame(record.Headers, input.Headers)
            && envelope.TimestampMs == input.TimestampMs;
        if (!isSame)
        {
            throw Broken("I3", $"{place} stands between the hops as {OutputChecker.Text(record)}");
        }

        int wanted = Events.RouteOf(_scenario, input, place.Item1);
        if (partition != wanted)
        {
            throw Broken("I1", $"{place} stands in {partition}, its ID belongs to {wanted}");
        }
    }

    /// <summary>The stamped clocks: highest timestamp of a record that was judged, by the first hop's own wall clock.</summary>
    private void CheckClocks()
    {
        foreach (var partition in _handed.GroupBy(static h => h.Key.Partition))
        {
            long clock = -1;
            foreach (
                ((int, long) place, Handed handed) in partition.OrderBy(static h => h.Key.Offset)
            )
            {
                ModelRecord input = _inputs[place].Record!;
                (Reason unread, long timeMs) = Events.TimeOf(_scenario, input);
                bool isJudged =
                    Events.WithoutId(_scenario, input) == Reason.None
                    && unread == Reason.None
                    && input.TimestampMs > 0
                    && timeMs <= handed.WrittenMs + Spec.MaxFutureMs;
                clock = isJudged ? Math.Max(clock, timeMs) : clock;
                if (handed.Envelope.ClockMs != clock)
                {
                    throw Broken(
                        "I4",
                        $"{place} carries the clock {handed.Envelope.ClockMs}, should be {clock}"
                    );
                }
            }
        }
    }

    private void CheckSecondHop()
    {
        var clean = new Dictionary<(int, int), Queue<ExpectedRecord>>();
        var duplicates = new Dictionary<(int, int), Queue<ExpectedRecord>>();
        HashSet<(int, long)> expectedInQuarantine = [.. _inputs.Keys.Except(_handed.Keys)];
        foreach (ModelLog log in Between)
        {
            var clocks = new ReferenceClocks(_scenario.Partitions, Spec.IdleTimeoutMs);
            (int, long) place = default;
            var reference = new Reference(_scenario, 0, entry => TooFar(place, entry));
            var markers = new MarkerWalk(
                _run,
                _run.Cluster.Topic(Spec.Changelog).Logs[log.Partition]
            );
            foreach (LogEntry entry in log.Archive.Where(static e => e.IsVisible))
            {
                markers.GoTo(entry.Offset, reference);
                _ = RekeyEnvelope.TryRead(entry.Record!.Key, out RekeyEnvelope envelope);
                place = (envelope.Partition, envelope.Offset);
                LogEntry original = _inputs[place];
                long written = entry.Record.TimestampMs;
                reference.Partition = envelope.Partition;
                reference.ExpiryOfNext = () => clocks.Look(envelope, written);
                reference.ClockOfNext = expiry =>
                    Math.Max(
                        expiry,
                        Math.Max(
                            envelope.ClockMs,
                            Events.TimeOf(_scenario, original.Record!).TimeMs
                        )
                    );
                reference.Accepted = () => clocks.Take(envelope, written);
                var expected = new ExpectedTransaction();
                reference.Judge(original, expected);
                (int, int) route = (envelope.Partition, log.Partition);
                expected.Clean.ForEach(r => Enqueue(clean, route, r));
                expected.Duplicates.ForEach(r => Enqueue(duplicates, route, r));
                foreach ((ExpectedRecord record, Reason reason) in expected.Quarantine)
                {
                    _ = expectedInQuarantine.Add(place);
                    CheckQuarantined(place, record, reason);
                }
            }

            markers.GoTo(long.MaxValue - 1, reference);
        }

        foreach (((int, long) place, var held) in _quarantined)
        {
            if (!expectedInQuarantine.Contains(place))
            {
                throw Broken(
                    "I2",
                    $"{place} is in quarantine as {OutputChecker.Text(held.Record)} and does not belong there"
                );
            }
        }

        CheckOutput(Spec.Clean, clean);
        if (Spec.Duplicates is { } topic)
        {
            CheckOutput(topic, duplicates);
        }
    }

    private void CheckQuarantined((int, long) place, in ExpectedRecord expected, Reason reason)
    {
        if (!_quarantined.TryGetValue(place, out var held))
        {
            throw Broken("I2", $"{place} is not in quarantine as {ReasonText.Of(reason)}");
        }

        if (!OutputChecker.IsSame(held.Record, expected, isQuarantine: true))
        {
            throw Broken(
                "I3",
                $"{place} is in quarantine as {OutputChecker.Text(held.Record)}, should be {OutputChecker.Text(expected.Record)}"
            );
        }
    }

    /// <summary>In each output partition the records of a route are the expected ones, in order; routes may mix.</summary>
    private void CheckOutput(string topic, Dictionary<(int, int), Queue<ExpectedRecord>> expected)
    {
        foreach (ModelLog log in _run.Cluster.Topic(topic).Logs)
        {
            foreach (LogEntry entry in log.Archive.Where(static e => e.IsVisible))
            {
                (int, int) route = (
                    log.Partition,
                    Events.RouteOf(_scenario, entry.Record!, log.Partition)
                );
                if (
                    !expected.TryGetValue(route, out Queue<ExpectedRecord>? queue)
                    || !queue.TryDequeue(out ExpectedRecord wanted)
                )
                {
                    throw Broken(
                        "I1",
                        $"{topic}-{log.Partition}: at {entry.Offset} stands {OutputChecker.Text(entry.Record!)}, where nothing more should be"
                    );
                }

                if (!OutputChecker.IsSame(entry.Record!, wanted, isQuarantine: false))
                {
                    throw Broken(
                        "I3",
                        $"{topic}-{log.Partition}: at {entry.Offset} stands {OutputChecker.Text(entry.Record!)}, should be {OutputChecker.Text(wanted.Record)}"
                    );
                }
            }
        }

        foreach (((int, int) route, Queue<ExpectedRecord> queue) in expected)
        {
            if (queue.Count > 0)
            {
                throw Broken(
                    "I2",
                    $"{topic}: {queue.Count} records of partition {route.Item1} by {route.Item2} are missing, the first: {OutputChecker.Text(queue.Peek().Record)}"
                );
            }
        }
    }

    /// <summary>As <see cref="PartitionChecker"/> tells it: certain far from every clock, else what was done is taken.</summary>
    private Reason TooFar((int, long) place, LogEntry entry)
    {
        long earliest = Worlds.ModelTime.EpochMs + entry.AppendedMs + _run.EarliestClockMs;
        long latest = Worlds.ModelTime.EpochMs + _run.World.NowMs + _run.LatestClockMs;
        long timestampMs = Events.TimeOf(_scenario, entry.Record!).TimeMs;
        if (timestampMs > latest + Spec.MaxFutureMs)
        {
            return Reason.TimestampTooFarInFuture;
        }

        return timestampMs <= earliest + Spec.MaxFutureMs
            || !_quarantined.TryGetValue(place, out var held)
                ? Reason.None
            : held.Reason == ReasonText.Of(Reason.TimestampTooFarInFuture)
                ? Reason.TimestampTooFarInFuture
            : held.Reason == ReasonText.Of(Reason.RefusedTooLarge) ? Reason.RefusedTooLarge
            : Reason.None;
    }

    private static void Enqueue(
        Dictionary<(int, int), Queue<ExpectedRecord>> queues,
        (int, int) route,
        ExpectedRecord record
    )
    {
        if (!queues.TryGetValue(route, out Queue<ExpectedRecord>? queue))
        {
            queues[route] = queue = new Queue<ExpectedRecord>();
        }

        queue.Enqueue(record);
    }

    private static (int, long) PlaceOf(ModelRecord record)
    {
        // over-quota TOPIC/PARTITION/OFFSET/TIMESTAMP, or a header for each.
        string reason = Text(record, HeaderNames.Reason);
        bool isBrief = reason.StartsWith("over-quota ", StringComparison.Ordinal);
        string[] brief = reason.Split('/');
        return (
            int.Parse(
                isBrief ? brief[^3] : Text(record, HeaderNames.SourcePartition),
                CultureInfo.InvariantCulture
            ),
            long.Parse(
                isBrief ? brief[^2] : Text(record, HeaderNames.SourceOffset),
                CultureInfo.InvariantCulture
            )
        );
    }

    private static string Text(ModelRecord record, string name) =>
        Encoding.UTF8.GetString(
            record.Headers.Last(h => Encoding.UTF8.GetString(h.Name) == name).Value!
        );

    private static ViolationException Broken(string invariant, string what) =>
        new(new Violation(invariant, "by-id: " + what));

    private readonly record struct Handed(RekeyEnvelope Envelope, long WrittenMs);
}
