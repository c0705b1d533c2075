using System.Buffers.Text;
using System.Diagnostics;
using System.Text;
using Confluent.Kafka;

namespace Dedup.Host.CrashTest;

/// <summary>How a load is made.</summary>
internal sealed record LoadPlan
{
    /// <summary>Records in all.</summary>
    public required long Records { get; init; }

    /// <summary>Records a second; a broker that takes fewer gets fewer.</summary>
    public int PerSecond { get; init; } = 20_000;

    /// <summary>Of a hundred records so many repeat an ID.</summary>
    public int DuplicatePercent { get; init; } = 10;

    /// <summary>How many IDs back a repetition may reach.</summary>
    public int Reach { get; init; } = 200_000;

    /// <summary>After so many records the load waits for <see cref="BackgroundLoad.GoOn"/>; 0: it does not.</summary>
    public long HoldAt { get; init; }

    /// <summary>Event time between two records, counted from <see cref="EventsFrom"/>. Zero: wall clock.</summary>
    public TimeSpan EventStep { get; init; }

    /// <summary>How long ago the first record happened; once event time has reached the wall clock it goes on with that.</summary>
    public TimeSpan EventsFrom { get; init; }

    /// <summary>Age of odd records (<see cref="BackgroundLoad.OddEvery"/>).</summary>
    public TimeSpan OddAge { get; init; } = TimeSpan.FromDays(200);
}

/// <summary>
/// Produces events in the background, of which some repeat an earlier one: by a thread of its own, at a pace, each ID always
/// to the same partition. Idempotent, so that every record is in the topic exactly once.
/// </summary>
internal sealed class BackgroundLoad : IDisposable
{
    private const int ValueBytes = 100;
    private const int PaceMs = 5;
    private static readonly TimeSpan FlushTimeout = TimeSpan.FromSeconds(60);

    private readonly CrashTopics _topics;
    private readonly LoadPlan _plan;
    private readonly Thread _thread;
    private readonly long _firstMs;
    private ulong _random;
    private long _sent;
    private long _ids;
    private long _odd;
    private volatile bool _stop;
    private long _holdAt;
    private int _oddEvery;
    private bool _isHeld;

    private BackgroundLoad(CrashTopics topics, LoadPlan plan, ulong seed)
    {
        _topics = topics;
        _plan = plan;
        _random = seed;
        _holdAt = plan.HoldAt > 0 ? plan.HoldAt : long.MaxValue;
        _firstMs =
            DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()
            - (long)plan.EventsFrom.TotalMilliseconds;
        _thread = new Thread(Run) { IsBackground = true, Name = "crash-test load" };
    }

    /// <summary>Records handed to the producer so far; all of them are in the topic once <see cref="IsDone"/>.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Different IDs among them, odd records aside.</summary>
    public long Ids => Interlocked.Read(ref _ids);

    /// <summary>Records that the clean topic refuses, each with an ID of its own.</summary>
    public long Odd => Interlocked.Read(ref _odd);

    /// <summary>Whether all is sent and acknowledged.</summary>
    public bool IsDone => !_thread.IsAlive;

    /// <summary>What went wrong; null: nothing.</summary>
    public string? Failure { get; private set; }

    /// <summary>How long the load took, its wait aside.</summary>
    public TimeSpan Duration { get; private set; }

    /// <summary>Starts to produce.</summary>
    public static BackgroundLoad Start(CrashTopics topics, LoadPlan plan, ulong seed)
    {
        var load = new BackgroundLoad(topics, plan, seed);
        load._thread.Start();
        return load;
    }

    /// <summary>Every so many records one is <see cref="LoadPlan.OddAge"/> old, which the clean topic refuses; 0: none.</summary>
    public int OddEvery
    {
        get => Volatile.Read(ref _oddEvery);
        set => Volatile.Write(ref _oddEvery, value);
    }

    /// <summary>Whether it waits for <see cref="GoOn"/>, with everything sent and acknowledged.</summary>
    public bool IsHeld
    {
        get => Volatile.Read(ref _isHeld);
        private set => Volatile.Write(ref _isHeld, value);
    }

    private long HoldAt => Interlocked.Read(ref _holdAt);

    /// <summary>Sends no more records until <see cref="GoOn"/>.</summary>
    public void Hold() => Interlocked.Exchange(ref _holdAt, 0);

    /// <summary>Ends a wait.</summary>
    public void GoOn() => Interlocked.Exchange(ref _holdAt, long.MaxValue);

    /// <summary>Ends it early, with everything sent that was begun.</summary>
    public void Stop()
    {
        _stop = true;
        _thread.Join();
    }

    /// <inheritdoc/>
    public void Dispose() => Stop();

    private void Run()
    {
        try
        {
            using IProducer<byte[], byte[]> producer = Producer();
            while (!_stop && Sent < _plan.Records)
            {
                Pace(producer);
                int left = producer.Flush(FlushTimeout);
                Failure ??= left > 0 ? $"{left} records of the load were not sent in time" : null;
                IsHeld = true;
                while (!_stop && Sent >= HoldAt)
                {
                    Thread.Sleep(PaceMs);
                }

                IsHeld = false;
            }
        }
        catch (KafkaException e)
        {
            Failure = e.Error.Reason;
        }
    }

    /// <summary>Sends until all is sent or the load is held, at the pace of the plan from now on.</summary>
    private void Pace(IProducer<byte[], byte[]> producer)
    {
        long begun = Stopwatch.GetTimestamp();
        long already = Sent;
        while (!_stop && Sent < Math.Min(_plan.Records, HoldAt))
        {
            double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
            long due = Math.Min(
                Math.Min(_plan.Records, HoldAt),
                already + (long)(seconds * _plan.PerSecond) + 1
            );
            while (!_stop && Sent < due)
            {
                Send(producer);
            }

            Thread.Sleep(PaceMs);
        }

        Duration += Stopwatch.GetElapsedTime(begun);
    }

    private void Send(IProducer<byte[], byte[]> producer)
    {
        int oddEvery = OddEvery;
        bool isOdd = oddEvery > 0 && Sent % oddEvery == oddEvery - 1;
        long now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        long ms =
            _plan.EventStep > TimeSpan.Zero
                ? Math.Min(now, _firstMs + (long)(Sent * _plan.EventStep.TotalMilliseconds))
                : now;
        long number = isOdd ? ~_odd : NextNumber();
        byte[] key = Encoding.ASCII.GetBytes($"ev-{(ulong)number * SplitMix.Spread:x16}");
        byte[] value = new byte[ValueBytes];
        value.AsSpan().Fill((byte)'x');
        // The running number makes two records of an ID different, so that it can be told which of them went on.
        _ = Utf8Formatter.TryFormat(Sent, value, out _);
        var target = new TopicPartition(
            _topics.Input,
            // With by-id each occurrence comes wherever it comes.
            new Partition(
                (int)(
                    ((ulong)(_topics.IsById ? Sent : number) * SplitMix.Spread >> 40)
                    % (ulong)_topics.Partitions
                )
            )
        );
        var message = new Message<byte[], byte[]>
        {
            Key = key,
            Value = value,
            Timestamp = new Timestamp(
                isOdd ? now - (long)_plan.OddAge.TotalMilliseconds : ms,
                TimestampType.CreateTime
            ),
        };
        while (!TryProduce(producer, target, message))
        {
            _ = producer.Poll(TimeSpan.FromMilliseconds(PaceMs));
            if (_stop)
            {
                return;
            }
        }

        _ = isOdd ? Interlocked.Increment(ref _odd) : 0;
        _ = Interlocked.Increment(ref _sent);
    }

    private static bool TryProduce(
        IProducer<byte[], byte[]> producer,
        TopicPartition target,
        Message<byte[], byte[]> message
    )
    {
        try
        {
            producer.Produce(target, message);
            return true;
        }
        catch (ProduceException<byte[], byte[]> e) when (e.Error.Code == ErrorCode.Local_QueueFull)
        {
            return false;
        }
    }

    private long NextNumber()
    {
        ulong random = Next();
        if (_ids > 0 && random % 100 < (ulong)_plan.DuplicatePercent)
        {
            return _ids - 1 - (long)(Next() % (ulong)Math.Min(_ids, _plan.Reach));
        }

        return Interlocked.Increment(ref _ids) - 1;
    }

    private ulong Next()
    {
        _random = SplitMix.Next(_random, out ulong number);
        return number;
    }

    private IProducer<byte[], byte[]> Producer() => new ProducerBuilder<byte[], byte[]>(
            new ProducerConfig(_topics.Kafka.ToDictionary())
            {
                EnableIdempotence = true,
                Acks = Acks.All,
                LingerMs = 10,
                BatchSize = 500_000,
                QueueBufferingMaxMessages = 500_000,
                EnableDeliveryReports = false,
            }
        ).SetLogHandler(static (_, _) => { }).SetErrorHandler((_, e) => Failure = e.IsFatal ? e.Reason : Failure).Build();
}
