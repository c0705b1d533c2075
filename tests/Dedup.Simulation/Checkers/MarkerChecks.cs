using Dedup.Contracts.Changelog;
using Dedup.Simulation.Broker;
using Dedup.Simulation.Runs;

namespace Dedup.Simulation.Checkers;

/// <summary>What a marker says, held against the reference that has judged the same records.</summary>
internal static class MarkerChecks
{
    /// <summary>The marker of a transaction, its last one.</summary>
    /// <param name="transaction">The transaction.</param>
    /// <param name="where">Its partition, for a report.</param>
    /// <param name="most">The second hop of by-id opens a transaction with the marker before it once more.</param>
    public static Marker Read(CommittedTransaction transaction, string where, int most = 1)
    {
        LogEntry[] markers =
        [
            .. transaction.Entries.Where(static e => MarkerCodec.IsMarkerKey(e.Record!.Key)),
        ];
        if (markers.Length < 1 || markers.Length > most)
        {
            throw Broken(
                "I4",
                $"{where}: a transaction ending at {transaction.CommitOffset} has {markers.Length} markers"
            );
        }

        return MarkerCodec.TryRead(markers[^1].Record!.Value)
            ?? throw Broken("I4", $"{where}: the marker at {markers[^1].Offset} cannot be read");
    }

    /// <summary>Clocks, counts, and what tenants have used; throws at the first difference.</summary>
    public static void Check(
        CommittedTransaction transaction,
        Marker marker,
        Reference reference,
        string where
    )
    {
        string at =
            $"{where}: marker before changelog offset {transaction.CommitOffset} (input {marker.InputOffset})";
        for (int i = 0; i < reference.Windows; i++)
        {
            long clockMs = marker.Classes.Length <= i ? -1 : marker.Classes[i].ClockMs;
            if (clockMs != reference.ClockOf(i))
            {
                throw Broken(
                    "I4",
                    $"{at}: clock {i} is {clockMs}, should be {reference.ClockOf(i)}"
                );
            }
        }

        // Which types are named depends on the order in which they came; that all records are counted does not.
        KeyValuePair<string, long>[] byType =
        [
            .. marker.Counts.Where(static c => c.Key.StartsWith("type", StringComparison.Ordinal)),
        ];
        long ofTypes = byType.Sum(static c => c.Value);
        long consumed = reference.Counts.GetValueOrDefault("consumed");
        if (reference.HasTypes && ofTypes != consumed)
        {
            throw Broken("I2", $"{at}: {ofTypes} records by type, {consumed} consumed");
        }

        string used = ReferenceQuotas.Text(marker.Usage);
        if (used != reference.Usage || marker.Usage?.Others.Records > 0)
        {
            throw Broken("I4", $"{at}: tenants {used}, should be {reference.Usage}");
        }

        string counted = string.Join(
            ", ",
            marker.Counts.Except(byType).OrderBy(static c => c.Key, StringComparer.Ordinal)
        );
        string expected = string.Join(", ", reference.Counts);
        if (counted != expected)
        {
            throw Broken("I2", $"{at}: ledger {counted}, should be {expected}");
        }
    }

    private static ViolationException Broken(string invariant, string what) =>
        new(new Violation(invariant, what));
}
