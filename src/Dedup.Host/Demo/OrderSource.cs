using System.Diagnostics;
using System.Globalization;
using Confluent.Kafka;

namespace Dedup.Host.Demo;

/// <summary>A repeated order that is shown at the end.</summary>
/// <param name="id">Order id, which is the record key.</param>
internal sealed class RepeatedOrder(string id)
{
    public string Id { get; } = id;

    /// <summary>Where its copies lie in the input, in the order of sending.</summary>
    public List<TopicPartitionOffset> Copies { get; } = [];
}

/// <summary>Sends orders, a tenth of them twice, as a producer that retries without being idempotent would.</summary>
internal sealed class OrderSource
{
    /// <summary>How many repeated orders are shown at the end.</summary>
    private const int Examples = 3;

    // Orders are sent in bursts; shorter ones would only wake the thread more often.
    private const int BurstMs = 20;

    // Knuth's multiplier: spreads numbers over any range, the same in every demo.
    private const uint Spread = 2_654_435_761;

    private readonly string _bootstrap;
    private readonly DemoPlan _plan;
    private readonly List<RepeatedOrder> _examples = [];
    private long _sent;

    public OrderSource(string bootstrap, DemoPlan plan)
    {
        _bootstrap = bootstrap;
        _plan = plan;
    }

    /// <summary>Orders handed to the client so far.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Some of the repeated orders.</summary>
    public IReadOnlyList<RepeatedOrder> Repeated
    {
        get
        {
            lock (_examples)
            {
                return [.. _examples];
            }
        }
    }

    /// <summary>Sends all orders at the plan's rate and waits until the broker has them.</summary>
    public void Send(CancellationToken cancellation)
    {
        using IProducer<string, string> producer = new ProducerBuilder<string, string>(
            new ProducerConfig
            {
                BootstrapServers = _bootstrap,
                EnableIdempotence = !_plan.IsMock,
                LingerMs = 5,
            }
        ).SetLogHandler(static (_, _) => { }).SetErrorHandler(static (_, _) => { }).Build();
        var ids = new List<string>(_plan.Orders);
        long begun = Stopwatch.GetTimestamp();
        for (int i = 0; i < _plan.Orders && !cancellation.IsCancellationRequested; i++)
        {
            bool repeat = i % DemoPlan.DuplicateEvery == DemoPlan.DuplicateEvery - 1;
            string id = repeat
                ? ids[
                    ids.Count
                        - 1
                        - (int)(
                            unchecked((uint)i * Spread) % Math.Min(ids.Count, DemoPlan.RepeatWithin)
                        )
                ]
                : string.Create(CultureInfo.InvariantCulture, $"order-{i:000000}");
            if (!repeat)
            {
                ids.Add(id);
            }

            Send(producer, id, ExampleOf(id, i, repeat));
            Interlocked.Increment(ref _sent);
            Pace(begun, i, cancellation);
        }

        producer.Flush(cancellation);
    }

    // The first copies of an example are known only when it repeats, so every order that may become one remembers its place.
    private RepeatedOrder? ExampleOf(string id, int i, bool repeat)
    {
        lock (_examples)
        {
            RepeatedOrder? known = _examples.Find(e => e.Id == id);
            if (
                known is not null
                || repeat
                || _examples.Count >= Candidates
                || i % (_plan.Orders / Candidates) != 0
            )
            {
                return known;
            }

            var candidate = new RepeatedOrder(id);
            _examples.Add(candidate);
            return candidate;
        }
    }

    // A tenth of all orders is repeated: of 200 candidates about 20 are.
    private static int Candidates => Examples * 70;

    private void Send(IProducer<string, string> producer, string id, RepeatedOrder? example)
    {
        var message = new Message<string, string>
        {
            Key = id,
            Value =
                $$"""{"order":"{{id}}","customer":"c-{{id[^3..]}}","items":[{"sku":"A-17","count":2},{"sku":"B-4","count":1}],"total":42.50,"currency":"EUR"}""",
        };
        while (true)
        {
            try
            {
                producer.Produce(
                    _plan.Input,
                    message,
                    example is null
                        ? null
                        : report =>
                        {
                            lock (_examples)
                            {
                                example.Copies.Add(report.TopicPartitionOffset);
                            }
                        }
                );
                return;
            }
            catch (ProduceException<string, string> e)
                when (e.Error.Code == ErrorCode.Local_QueueFull)
            {
                _ = producer.Poll(TimeSpan.FromMilliseconds(BurstMs));
            }
        }
    }

    private void Pace(long begun, int i, CancellationToken cancellation)
    {
        double dueMs = (i + 1) * 1000.0 / _plan.OrdersPerSecond;
        double aheadMs = dueMs - Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
        if (aheadMs > BurstMs)
        {
            _ = cancellation.WaitHandle.WaitOne((int)aheadMs);
        }
    }
}
