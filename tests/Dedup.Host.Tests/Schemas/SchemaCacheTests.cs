using Dedup.Host.Schemas;

namespace Dedup.Host.Tests.Schemas;

public sealed class SchemaCacheTests
{
    private static readonly SchemaFound Usable = new(SchemaState.Usable, null, "");
    private static readonly SchemaFound Away = new(SchemaState.Away, null, "away");
    private static readonly SchemaFound NotThere = new(SchemaState.NotThere, null, "");

    [Fact]
    public void A_registry_that_never_answers_is_asked_a_bounded_number_of_times()
    {
        int fetches = 0;
        using var cache = Make(
            async (name, stop) =>
            {
                _ = Interlocked.Increment(ref fetches);
                await Task.Delay(Timeout.Infinite, stop);
                return Usable;
            }
        );
        for (int id = 0; id < 10_000; id++)
        {
            cache.Get(Id(id)).State.ShouldBe(SchemaState.Away);
        }

        fetches.ShouldBeLessThanOrEqualTo(8);
    }

    [Fact]
    public void All_records_together_wait_no_longer_than_the_budget_and_a_twentieth_of_the_time()
    {
        var time = new ManualTime();
        var budget = new WaitBudget(time);
        budget.TryBegin(out TimeSpan most).ShouldBeTrue();
        most.ShouldBe(WaitBudget.AtStart);
        time.Advance(WaitBudget.AtStart / 2);
        budget.TryBegin(out most).ShouldBeTrue("a second lane waits along");
        most.ShouldBe(WaitBudget.AtStart / 2, "and only as long as the first one may");
        time.Advance(WaitBudget.AtStart / 2);
        budget.TryBegin(out _).ShouldBeFalse();
        budget.End();
        budget.End();
        budget.TryBegin(out _).ShouldBeFalse();
        time.Advance(TimeSpan.FromSeconds(4));
        budget.TryBegin(out most).ShouldBeTrue();
        most.TotalMilliseconds.ShouldBe(200, 1);
        budget.End();
        time.Advance(TimeSpan.FromHours(1));
        budget.TryBegin(out most).ShouldBeTrue();
        most.ShouldBe(WaitBudget.Most);
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
