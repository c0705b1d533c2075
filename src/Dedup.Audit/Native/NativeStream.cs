using Dedup.Audit.Logs;
using Dedup.Topology.Records;
using static Dedup.Audit.Native.LibRdKafka;

namespace Dedup.Audit.Native;

/// <summary>Reads a range of one partition in batches. The end is a position, since the last offset may be a control record.</summary>
internal sealed unsafe class NativeStream : IRecordStream
{
    /// <summary>Messages in a batch: enough that the call into the library costs nothing per record.</summary>
    private const int BatchMessages = 2000;

    /// <summary>A batch call waits for a full batch; at the end of the log that is a wait for nothing.</summary>
    private const int PollMs = 10;

    private readonly NativeClient _client;
    private readonly string _topicName;
    private readonly int _partition;
    private readonly long _to;
    private readonly TimeSpan _pending;
    private readonly TimeSpan _stall;
    private readonly TimeProvider _time;
    private readonly CancellationToken _cancellation;
    private readonly NativeBatch _batch = new(BatchMessages);
    private nint _topic;
    private nint _queue;
    private bool _started;
    private bool _ended;
    private long _movedAt;
    private long _eof = -1;
    private string _lastError = "no answer from the broker";

    public NativeStream(
        NativeClient client,
        string topic,
        int partition,
        long from,
        long to,
        TimeSpan pending,
        TimeSpan stall,
        TimeProvider time,
        CancellationToken cancellation
    )
    {
        _client = client;
        _topicName = topic;
        _partition = partition;
        _to = to;
        _pending = pending;
        _stall = stall;
        _time = time;
        _cancellation = cancellation;
        Position = from;
        _movedAt = time.GetTimestamp();
        _topic = rd_kafka_topic_new(client.Handle, topic, 0);
        _queue = rd_kafka_queue_new(client.Handle);
        if (
            _topic == 0
            || _queue == 0
            || rd_kafka_consume_start_queue(_topic, partition, from, _queue) != 0
        )
        {
            string words = Text(rd_kafka_last_error());
            Dispose();
            throw new AuditException($"{topic}-{partition} cannot be read: {words}");
        }

        _started = true;
    }

    public long Position { get; private set; }

    public bool IsComplete => Position >= _to;

    public RecordBatch? Next()
    {
        while (!_ended)
        {
            _cancellation.ThrowIfCancellationRequested();
            int kept = Poll();
            _ended = Position >= _to || IsStuck();
            if (kept > 0)
            {
                _batch.Keep(kept);
                return _batch;
            }
        }

        return null;
    }

    public void Dispose()
    {
        _batch.Release();
        if (_started)
        {
            _ = rd_kafka_consume_stop(_topic, _partition);
            _started = false;
        }

        if (_queue != 0)
        {
            // Purges what was fetched and not polled.
            rd_kafka_queue_destroy(_queue);
            _queue = 0;
        }

        if (_topic != 0)
        {
            rd_kafka_topic_destroy(_topic);
            _topic = 0;
        }
    }

    /// <summary>Polls once and returns how many records of the range there are, at the front of the batch's slots.</summary>
    private int Poll()
    {
        _ = rd_kafka_poll(_client.Handle, 0);
        Span<nint> slots = _batch.Slots;
        nint count;
        fixed (nint* first = slots)
        {
            count = rd_kafka_consume_batch_queue(
                _queue,
                PollMs,
                (Message**)first,
                (nuint)slots.Length
            );
        }

        if (count < 0)
        {
            throw new AuditException(
                $"{_topicName}-{_partition} cannot be read: {Text(rd_kafka_last_error())}"
            );
        }

        int kept = 0;
        long before = Position;
        string? fatal = null;
        for (int i = 0; i < (int)count; i++)
        {
            Message* message = (Message*)slots[i];
            if (message->Error == NoError && message->Offset < _to)
            {
                Position = message->Offset + 1;
                slots[kept++] = (nint)message;
                continue;
            }

            fatal ??= Special(message);
            rd_kafka_message_destroy(message);
        }

        if (fatal is not null)
        {
            _batch.Keep(kept);
            throw new AuditException(fatal);
        }

        _movedAt = Position > before ? _time.GetTimestamp() : _movedAt;
        return kept;
    }

    /// <summary>What is no record of the range; returns the words of an error that ends the audit.</summary>
    private string? Special(Message* message)
    {
        switch (message->Error)
        {
            case NoError:
                // Behind the end: everything before it has been seen.
                Position = Math.Max(Position, _to);
                return null;
            case PartitionEof:
                Position = Math.Max(Position, message->Offset);
                _eof = Position;
                return null;
            case AutoOffsetReset:
            case OffsetOutOfRange:
                return $"{_topicName}-{_partition}: offset {Position} is not in the log any more; records were deleted while the audit ran, run it again";
            default:
                string words = new ReadOnlySpan<byte>(message->Payload, (int)message->Length)
                    is { IsEmpty: false } detail
                    ? System.Text.Encoding.UTF8.GetString(detail)
                    : Text(message->Error);
                _lastError = words;
                // Broker errors below zero are the client's own and pass (it reconnects); the stall bound ends them.
                return message->Error > 0 && !IsPassing(message->Error)
                    ? $"{_topicName}-{_partition} cannot be read: {words}"
                    : null;
        }
    }

    /// <summary>LEADER_NOT_AVAILABLE, NOT_LEADER, REQUEST_TIMED_OUT, and others that a client outlives by asking again.</summary>
    private static bool IsPassing(int error) =>
        error is 5 or 6 or 7 or 8 or 9 or 13 or 14 or 15 or 16 or 74 or 75 or 76;

    /// <summary>Whether the end cannot be reached: an open transaction stands before it. Without any answer at all: throws.</summary>
    private bool IsStuck()
    {
        TimeSpan still = _time.GetElapsedTime(_movedAt);
        if (_eof == Position && still >= _pending)
        {
            return true;
        }

        return _eof != Position && still >= _stall
            ? throw new AuditException(
                $"{_topicName}-{_partition}: nothing came for {_stall.TotalSeconds:0} s at offset {Position} of {_to} ({_lastError})"
            )
            : false;
    }
}
