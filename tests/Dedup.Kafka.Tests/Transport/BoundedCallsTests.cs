using Dedup.Kafka.Transport;
using Dedup.Topology.Ports;
using Shouldly;

namespace Dedup.Kafka.Tests.Transport;

/// <summary>Calls that may never come back.</summary>
public sealed class BoundedCallsTests
{
    private const int Long = 30_000;
    private static readonly TxResult Refused = new(TxOutcome.Abortable);

    [Fact]
    public void A_call_that_comes_back_gives_its_result_each_time()
    {
        var calls = new BoundedCalls("test");
        TryRun(calls, () => TxResult.Ok, Long, out TxResult first).ShouldBeTrue();
        TryRun(calls, () => Refused, Long, out TxResult second).ShouldBeTrue();

        (first, second).ShouldBe((TxResult.Ok, Refused));
        calls.IsHung.ShouldBeFalse();
        bool ended = false;
        calls.End(() => ended = true);
        ended.ShouldBeTrue();
    }

    [Fact]
    public void What_a_call_throws_reaches_the_caller_and_the_next_call_is_made()
    {
        var calls = new BoundedCalls("test");
        Should
            .Throw<InvalidOperationException>(() =>
                TryRun(calls, static () => throw new InvalidOperationException("no"), Long, out _)
            )
            .Message.ShouldBe("no");

        TryRun(calls, () => TxResult.Ok, Long, out TxResult result).ShouldBeTrue();
        result.ShouldBe(TxResult.Ok);
        calls.End(static () => { });
    }

    [Fact]
    public void A_call_that_hangs_is_left_alone_and_the_last_thing_is_done_when_it_comes_back()
    {
        var calls = new BoundedCalls("test");
        using var comesBack = new ManualResetEventSlim();
        using var done = new ManualResetEventSlim();
        bool isBack = false;

        TryRun(
                calls,
                () =>
                {
                    comesBack.Wait();
                    isBack = true;
                    return TxResult.Ok;
                },
                timeoutMs: 20,
                out _
            )
            .ShouldBeFalse();

        calls.IsHung.ShouldBeTrue();
        _ = Should.Throw<ObjectDisposedException>(() =>
            TryRun(calls, static () => TxResult.Ok, Long, out _)
        );
        bool wasBackFirst = false;
        calls.End(() =>
        {
            wasBackFirst = isBack;
            done.Set();
        });
        done.IsSet.ShouldBeFalse();
        comesBack.Set();
        done.Wait(Long).ShouldBeTrue();
        wasBackFirst.ShouldBeTrue();
    }

    private static bool TryRun(
        BoundedCalls calls,
        Func<TxResult> call,
        int timeoutMs,
        out TxResult result
    )
    {
        calls.Begin(call);
        return calls.TryEnd(timeoutMs, out result);
    }
}
