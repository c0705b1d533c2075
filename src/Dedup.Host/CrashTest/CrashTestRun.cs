using Confluent.Kafka;
using Dedup.Audit.Reports;
using Dedup.Host.Commands;

namespace Dedup.Host.CrashTest;

/// <summary>What <c>dedup crash-test</c> was asked for.</summary>
/// <param name="Kafka">librdkafka's properties.</param>
/// <param name="Points">Points, in order.</param>
/// <param name="Rounds">Crashes at each.</param>
/// <param name="Records">Least number of records for each crash.</param>
/// <param name="Seed">Decides which passing of a point it is.</param>
internal sealed record CrashTestRequest(
    IReadOnlyDictionary<string, string> Kafka,
    IReadOnlyList<string> Points,
    int Rounds,
    long Records,
    int Seed
);

/// <summary>Crashes a child at each point, restarts it, audits, and prints the table.</summary>
internal sealed class CrashTestRun(CrashTestRequest request, CliContext context)
{
    // A broker that answers at all answers within a second; a busy one may take longer.
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(8);

    /// <summary>Runs all of it; the exit code.</summary>
    /// <exception cref="ProblemException">It could not begin.</exception>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        Probe();
        string prefix = $"dedup-crash-{Guid.NewGuid().ToString("N")[..8]}";
        await context.Error.WriteLineAsync(
            $"topics {prefix}…, seed {request.Seed}: {request.Points.Count} points, {request.Rounds} rounds each"
        );
        await using CrashTester tester = await CrashTester.StartAsync(
            request.Kafka,
            prefix,
            request.Points.Count * request.Rounds,
            request.Seed,
            cancellation
        );
        CrashTable.PrintHead(context);
        bool sound = true;
        int reached = 0;
        foreach (string point in request.Points)
        {
            PointResult result = await PointAsync(tester, point, cancellation);
            CrashTable.Print(result, context);
            sound &= result.IsSound;
            reached += result.Rounds > 0 ? 1 : 0;
        }

        await context.Out.WriteLineAsync(
            $"{(sound ? "sound" : "NOT SOUND")}: {reached} of {request.Points.Count} points reached, {tester.Sent} records"
        );
        return sound ? ExitCode.Done : ExitCode.Found;
    }

    /// <summary>Asks the cluster for its name first: without a broker everything else would wait for its own time-out.</summary>
    private void Probe()
    {
        try
        {
            using IAdminClient admin = new AdminClientBuilder(request.Kafka)
                .SetLogHandler(static (_, _) => { })
                .SetErrorHandler(static (_, _) => { })
                .Build();
            _ = admin.GetMetadata(ProbeTimeout);
        }
        catch (Exception e)
            when (e is KafkaException or InvalidOperationException or ArgumentException)
        {
            throw new ProblemException(
                ExitCode.Usage,
                $"no broker at {request.Kafka["bootstrap.servers"]} answers: {e.Message.TrimEnd('.')}",
                "start it, or correct --bootstrap; a broker that wants TLS or a login looks like this too: give --kafka security.protocol=…",
                e
            );
        }
    }

    private async Task<PointResult> PointAsync(
        CrashTester tester,
        string point,
        CancellationToken cancellation
    )
    {
        var recoveries = new List<TimeSpan>();
        var result = new PointResult { Point = point, Recoveries = recoveries };
        for (int round = 0; round < request.Rounds && result.Problem is null; round++)
        {
            long before = tester.Sent;
            CrashOutcome outcome = await tester.CrashAsync(point, cancellation);
            result = result with
            {
                Rounds = result.Rounds + (outcome == CrashOutcome.Reached ? 1 : 0),
                NotReached = result.NotReached + (outcome == CrashOutcome.NotReached ? 1 : 0),
                Problem =
                    outcome == CrashOutcome.EndedOtherwise
                        ? $"ended by itself, not at the point: {LastLine(tester)}"
                        : null,
            };
            TimeSpan? took = await tester.RecoverAsync(cancellation);
            if (took is { } time)
            {
                recoveries.Add(time);
            }
            else
            {
                result = result with { Problem = $"did not recover: {LastLine(tester)}" };
            }

            if (round == request.Rounds - 1 && result.Problem is null)
            {
                result = result with
                {
                    Problem = await tester.DrainAsync(before + request.Records, cancellation),
                };
            }

            string? stop = await tester.StopAsync(cancellation);
            result = result with { Problem = result.Problem ?? stop };
        }

        return Judge(result, await tester.AuditAsync(cancellation));
    }

    private static PointResult Judge(PointResult result, AuditReport report)
    {
        long lost = report.CountOf(FindingKind.Lost);
        long twice = report.CountOf(FindingKind.Twice);
        return result with
        {
            Lost = lost,
            Twice = twice,
            Other = report.Findings.Sum(static f => f.Count) - lost - twice,
            Audited = report.Counts.In,
            Problem =
                result.Problem
                ?? (
                    report.Findings.Count == 0
                        ? null
                        : string.Join(
                            "; ",
                            report.Findings.Select(static f => $"{f.Kind} {f.Count}: {f.Shown[0]}")
                        )
                ),
        };
    }

    private static string LastLine(CrashTester tester) => tester.Tail.Split('\n')[^1];
}
