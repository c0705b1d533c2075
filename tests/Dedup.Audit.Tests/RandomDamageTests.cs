using Dedup.Audit.Reports;
using Dedup.Audit.Tests.Model;
using Shouldly;

namespace Dedup.Audit.Tests;

/// <summary>
/// A reference pipeline makes a sound pair from a seed; damages are done to clean at places that do not touch; the audit has
/// to name exactly these. A failure prints the seed: call <see cref="Run"/> with it.
/// </summary>
public sealed class RandomDamageTests
{
    /// <summary>400 for each policy take seconds; DEDUP_AUDIT_SEEDS for a long run.</summary>
    private static readonly int Seeds = int.TryParse(
        Environment.GetEnvironmentVariable("DEDUP_AUDIT_SEEDS"),
        out int seeds
    )
        ? seeds
        : 400;

    /// <summary>Damages keep so many records between them, so that what one does cannot be read as another.</summary>
    private const int Distance = 6;

    [Theory]
    [InlineData(AuditLatePolicy.Forward)]
    [InlineData(AuditLatePolicy.Drop)]
    [InlineData(AuditLatePolicy.Quarantine)]
    public void Exactly_the_damages_done_are_found(AuditLatePolicy policy)
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            Run(seed, policy);
        }
    }

    private static void Run(int seed, AuditLatePolicy policy)
    {
        var random = new Random(seed);
        Pair pair = Sound(random, policy);
        pair.WithQuarantine = random.Next(2) == 0;
        pair.WithDuplicates = random.Next(2) == 0;
        pair.MemoryBytes = random.Next(2) == 0 ? 1 : 1L << 30;
        AuditReport sound = pair.Audit();
        string context = $"seed {seed} {policy}";
        sound.Findings.ShouldBeEmpty(context);
        sound.UnknownTotal.ShouldBe(0, context);
        sound.Counts.Duplicates.ShouldBe(
            pair.Verdicts.Values.Count(v => v == "duplicate"),
            context
        );
        sound.Counts.Late.ShouldBe(pair.Verdicts.Values.Count(v => v == "late-forwarded"), context);
        sound.Counts.First.ShouldBe(pair.Verdicts.Values.Count(v => v == "first"), context);

        List<string> done = Damage(random, pair);
        AuditReport report = pair.Audit();
        // A swap may be told by either record of it: both names stand in the expectation, joined by a bar.
        var found = report
            .Findings.SelectMany(g => g.Shown)
            .Select(f => $"{f.Kind} {f.Input?.Key ?? f.Clean?.Key} {f.Changed}")
            .ToList();
        string all = $"{context}: done {string.Join(", ", done)}; found {string.Join(", ", found)}";
        report.Findings.Sum(g => g.Count).ShouldBe(done.Count, all);
        report.UnknownTotal.ShouldBe(0, all);
        foreach (string damage in done)
        {
            found.ShouldContain(f => damage.Split('|').Contains(f), all);
            _ = found.Remove(found.First(f => damage.Split('|').Contains(f)));
        }
    }

    private static Pair Sound(Random random, AuditLatePolicy policy)
    {
        var pair = new Pair(100, random.Next(0, 150), policy);
        int ids = random.Next(3, 60);
        int count = random.Next(20, 250);
        long now = 10_000;
        var sent = new List<Row>();
        for (int i = 0; i < count; i++)
        {
            now += random.Next(0, 12);
            if (sent.Count > 0 && random.Next(6) == 0)
            {
                // A producer's retry: the very same record, now or much later.
                _ = pair.Put(sent[random.Next(sent.Count)], random.Next(3));
                continue;
            }

            long timestamp =
                random.Next(8) == 0 ? now - random.Next(0, 600) : now - random.Next(0, 30);
            string? key = random.Next(40) == 0 ? null : $"k{random.Next(ids)}";
            var row = Row.Of(
                key,
                $"v{i}",
                random.Next(60) == 0 ? -random.Next(2) : timestamp,
                random.Next(3) == 0 ? [("h", []), ("h", null)] : []
            );
            sent.Add(row);
            _ = pair.Put(row, random.Next(3));
        }

        return pair;
    }

    private static List<string> Damage(Random random, Pair pair)
    {
        var done = new List<string>();
        var touched = new HashSet<string>();
        int from = random.Next(Distance);
        // From the end to the beginning, so that places not yet touched keep their index.
        for (
            int at = pair.Clean.Count - 1 - from;
            at >= 1;
            at -= Distance + random.Next(2 * Distance)
        )
        {
            // One damage for each event: a record doubled here and removed there is one that moved, and rightly told so.
            string[] events = [pair.Clean[at].KeyText!, pair.Clean[at - 1].KeyText!];
            if (
                done.Count < FindingLog.ShownOfEach
                && !touched.Overlaps(events)
                && Damage(random, pair, at) is { } damage
            )
            {
                done.Add(damage);
                touched.UnionWith(events);
            }
        }

        return done;
    }

    private static string? Damage(Random random, Pair pair, int at)
    {
        List<Row> clean = pair.Clean;
        Row row = clean[at];
        switch (random.Next(9))
        {
            case 0:
                clean.RemoveAt(at);
                return $"Lost {row.KeyText} None";
            case 1:
                clean.Insert(at + random.Next(2), row);
                return $"Twice {row.KeyText} None";
            case 2:
                clean[at] = row with { Value = "changed"u8.ToArray() };
                return $"Changed {row.KeyText} Value";
            case 3:
                clean[at] = row with { Ts = row.Ts + 1 + random.Next(50) };
                return $"Changed {row.KeyText} Timestamp";
            case 4:
                clean[at] = row with { Headers = [.. row.Headers, ("more", null)] };
                return $"Changed {row.KeyText} Headers";
            case 5:
                if (clean.Count(r => Same(r, row)) > 1)
                {
                    // Of equal late records any may be the missing one: "lost and foreign" is then as true as "changed".
                    return null;
                }

                clean[at] = row with { Key = Row.Bytes($"new{at}") };
                return $"Changed {row.KeyText} Key";
            case 6:
                clean.Insert(at, Row.Of($"foreign{at}", $"f{at}", row.Ts));
                return $"Foreign foreign{at} None";
            case 7:
                Row other = clean[at - 1];
                if (Same(row, other))
                {
                    return null;
                }

                (clean[at], clean[at - 1]) = (other, row);
                return $"OutOfOrder {row.KeyText} None|OutOfOrder {other.KeyText} None";
            default:
                // A duplicate of this very record let through, behind it.
                Row? duplicate = pair
                    .Input.Rows()
                    .FirstOrDefault(r =>
                        r.Offset > row.Offset
                        && r.KeyText == row.KeyText
                        && pair.Verdicts[r.Offset] == "duplicate"
                    );
                if (
                    duplicate is null
                    || !pair.Clean.Exists(r => Same(r, duplicate) || r.Offset > duplicate.Offset)
                )
                {
                    return null;
                }

                if (pair.Clean.Exists(r => Same(r, duplicate) && r != row))
                {
                    return null;
                }

                clean.Insert(at + 1, duplicate);
                return $"Twice {row.KeyText} None";
        }
    }

    private static bool Same(Row a, Row b) =>
        a.Ts == b.Ts
        && a.KeyText == b.KeyText
        && a.Value.AsSpan().SequenceEqual(b.Value)
        && a.Headers.Length == b.Headers.Length;
}
