using Dedup.Tests;
using Dedup.Topology.Tenants;
using FsCheck;
using FsCheck.Fluent;
using Shouldly;

namespace DedupTopology.Tests.Tenants;

/// <summary>
/// Quotas against their definition in its plainest form: all IDs ever remembered in a list, all that were let through in
/// another. Commits, aborts, and restarts anywhere must make no difference. Window 100, grace 0.
/// </summary>
public sealed class QuotaModelTests
{
    private const long WindowMs = 100;
    private const long BucketMs = 15; // (window + grace) / 7, rounded up

    private static readonly QuotaRules Rules = new(
        new TenantQuota(Ids: 3, Rate: new RateLimit(2, 20)),
        [
            new("t1", new TenantQuota(Ids: 5)),
            new("t2", new TenantQuota(Rate: new RateLimit(1, 7))),
            new("t3", TenantQuota.None),
        ]
    );

    private enum Then
    {
        GoOn,
        Commit,
        Abort,
        Restart,
    }

    private static readonly Gen<((int Tenant, int Id, int TimeMs)[] Records, int Then)[]> Runs = (
        from records in (
            from tenant in Gen.Choose(0, 4)
            from id in Gen.Choose(0, 12)
            from time in Gen.Choose(0, 40)
            select (tenant, id, time)
        )
            .ArrayOf()
            .Resize(12)
        from then in Gen.Choose(0, 3)
        select (records, then)
    )
        .ArrayOf()
        .Resize(25);

    [Fact]
    public void Every_record_gets_what_the_definition_says_whatever_is_committed_aborted_or_restarted() =>
        Prop.ForAll(
                Arb.From(Runs),
                static runs =>
                {
                    using var pipeline = new QuotaPipeline(Rules);
                    var model = new Model();
                    Model committed = model;
                    long now = 1_000;
                    foreach (((int Tenant, int Id, int TimeMs)[] records, int then) in runs)
                    {
                        now += 13;
                        foreach ((int tenant, int id, int timeMs) in records)
                        {
                            model = model.Copy();
                            string name = tenant == 4 ? "" : $"t{tenant}";
                            pipeline
                                .Letters(name, ($"id{id}", now + timeMs))
                                .ShouldBe(model.Judge(name, id, now + timeMs));
                        }

                        switch ((Then)then)
                        {
                            case Then.Commit:
                                pipeline.Commit();
                                committed = model;
                                break;
                            case Then.Abort:
                                pipeline.Judge.Abort();
                                model = committed;
                                break;
                            case Then.Restart:
                                pipeline.Restart();
                                model = committed;
                                break;
                            default:
                                break;
                        }
                    }
                }
            )
            .Check(Config.QuickThrowOnFailure.WithMaxTest(Repetitions.Of(400)));

    private sealed class Model
    {
        private List<(string Tenant, int Id, long TimeMs)> _held = [];
        private Dictionary<string, List<long>> _through = [];
        private long _clockMs = -1;

        public Model Copy() =>
            new()
            {
                _held = [.. _held],
                _through = _through.ToDictionary(static t => t.Key, static t => t.Value.ToList()),
                _clockMs = _clockMs,
            };

        public string Judge(string tenant, int id, long timeMs)
        {
            _clockMs = Math.Max(_clockMs, timeMs);
            if (
                _held.Exists(h =>
                    h.Tenant == tenant
                    && h.Id == id
                    && Math.Abs(h.TimeMs - timeMs) <= WindowMs
                    && _clockMs <= h.TimeMs + WindowMs
                )
            )
            {
                return "d";
            }

            TenantQuota quota =
                Rules.Tenants.FirstOrDefault(t => t.Key == tenant).Value ?? Rules.Default;
            long ids = _held.Count(h =>
                h.Tenant == tenant && _clockMs < (((h.TimeMs + WindowMs) / BucketMs) + 1) * BucketMs
            );
            if (ids >= quota.Ids || (quota.Rate is { } rate && !HasOne(rate, tenant, timeMs)))
            {
                return "q";
            }

            if (_clockMs <= timeMs + WindowMs)
            {
                _held.Add((tenant, id, timeMs));
            }

            // Grace 0: whatever is behind the clock is late.
            return timeMs < _clockMs ? "l" : "f";
        }

        /// <summary>A bucket of so many, emptied one by one, filled by the tenant's highest time of a record that asked.</summary>
        private bool HasOne(RateLimit rate, string tenant, long timeMs)
        {
            if (!_through.TryGetValue(tenant, out List<long>? asked))
            {
                // Highest time, then what is left in parts of an ID.
                _through[tenant] = asked = [timeMs, rate.Count * rate.PerMs];
            }

            asked[1] = Math.Min(
                rate.Count * rate.PerMs,
                asked[1] + (Math.Max(0, timeMs - asked[0]) * rate.Count)
            );
            asked[0] = Math.Max(asked[0], timeMs);
            if (asked[1] < rate.PerMs)
            {
                return false;
            }

            asked[1] -= rate.PerMs;
            return true;
        }
    }
}
