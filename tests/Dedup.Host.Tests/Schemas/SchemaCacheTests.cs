using Dedup.Host.Schemas;

namespace Dedup.Host.Tests.Schemas;

public sealed class SchemaCacheTests
{
    private static readonly SchemaFound Usable = new(SchemaState.Usable, null, "");
    private static readonly SchemaFound Away = new(SchemaState.Away, null, "away");
    private static readonly SchemaFound NotThere = new(SchemaState.NotThere, null, "");

    [Fact]
    public void A_registry_that_never_answers_costs_a_stream_of_unknown_schemas_one_bounded_wait()
    {
        using var cache = Make(
            static async (_, stop) =>
            {
                await Task.Delay(Timeout.Infinite, stop);
                return Usable;
            }
        );
        long begun = TimeProvider.System.GetTimestamp();
        for (int id = 0; id < 10_000; id++)
        {
            cache.Get(Id(id)).State.ShouldBe(SchemaState.Away);
        }

        // One full wait, and what refills meanwhile: a twentieth of the time.
        TimeProvider
            .System.GetElapsedTime(begun)
            .ShouldBeLessThan((WaitBudget.AtStart * 2) + TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task Lanes_that_ask_at_the_same_time_all_wait_for_the_one_look_up()
    {
        using var asked = new CountdownEvent(1);
        using var answer = new ManualResetEventSlim();
        int fetches = 0;
        using var cache = Make(
            (schema, stop) =>
            {
                _ = Interlocked.Increment(ref fetches);
                _ = asked.Signal();
                answer.Wait(TimeSpan.FromSeconds(10), stop);
                return Task.FromResult(Usable);
            }
        );
        using var ready = new CountdownEvent(3);
        Task<SchemaFound>[] lanes =
        [
            .. Enumerable
                .Range(0, 3)
                .Select(lane =>
                    Task.Factory.StartNew(
                        () =>
                        {
                            _ = ready.Signal();
                            return cache.Get(Id(1));
                        },
                        CancellationToken.None,
                        TaskCreationOptions.LongRunning,
                        TaskScheduler.Default
                    )
                ),
        ];
        ready.Wait(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken).ShouldBeTrue();
        asked.Wait(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken).ShouldBeTrue();
        answer.Set();
        (await Task.WhenAll(lanes)).ShouldAllBe(static found => found == Usable);

        fetches.ShouldBe(1);
    }

    [Fact]
    public void A_registry_that_is_away_is_asked_again_after_a_pause_and_counts_when_it_is_back()
    {
        var time = new ManualTime();
        int fetches = 0;
        SchemaFound answer = Away;
        using var cache = Make(
            (_, _) =>
            {
                _ = Interlocked.Increment(ref fetches);
                return Task.FromResult(answer);
            },
            time
        );
        cache.Get(Id(1)).State.ShouldBe(SchemaState.Away);
        cache.Get(Id(1)).State.ShouldBe(SchemaState.Away);
        cache.Get(Id(2)).State.ShouldBe(SchemaState.Away);
        fetches.ShouldBe(1, "while it pauses nothing is asked, whatever the schema");

        answer = Usable;
        time.Advance(TimeSpan.FromMinutes(1));
        SpinWait
            .SpinUntil(() => cache.Get(Id(1)).State == SchemaState.Usable, TimeSpan.FromSeconds(10))
            .ShouldBeTrue();
        fetches.ShouldBe(2);
        cache.Get(Id(2)).State.ShouldBe(SchemaState.Usable);
    }

    [Fact]
    public void A_schema_that_is_not_there_is_asked_for_again_later()
    {
        var time = new ManualTime();
        SchemaFound answer = NotThere;
        using var cache = Make((_, _) => Task.FromResult(answer), time);
        cache.Get(Id(1)).State.ShouldBe(SchemaState.NotThere);
        answer = Usable;
        cache.Get(Id(1)).State.ShouldBe(SchemaState.NotThere);
        time.Advance(TimeSpan.FromMinutes(1));
        cache.Get(Id(1)).State.ShouldBe(SchemaState.Usable);
    }

    [Fact]
    public void Ids_that_somebody_makes_up_do_not_drive_out_the_schemas_in_use()
    {
        int fetches = 0;
        using var cache = Make(
            (name, _) =>
            {
                fetches += name.Id == 1 ? 1 : 0;
                return Task.FromResult(name.Id == 1 ? Usable : NotThere);
            }
        );
        cache.Get(Id(1)).State.ShouldBe(SchemaState.Usable);
        for (int id = 2; id < 3000; id++)
        {
            cache.Get(Id(id)).State.ShouldBeOneOf(SchemaState.NotThere, SchemaState.Away);
        }

        cache.Get(Id(1)).State.ShouldBe(SchemaState.Usable);
        fetches.ShouldBe(1);
    }

    private static SchemaName Id(int id) => new(id, Guid.Empty);

    private static SchemaCache Make(
        Func<SchemaName, CancellationToken, Task<SchemaFound>> fetch,
        TimeProvider? time = null
    ) => new(fetch, static (_, _) => { }, time ?? TimeProvider.System);

    private sealed class ManualTime : TimeProvider
    {
        private long _now = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan by) => _ = Interlocked.Add(ref _now, by.Ticks);

        public override long GetTimestamp() => Interlocked.Read(ref _now);
    }
}
