using Confluent.Kafka;
using Dedup.Kafka.Transport;
using Dedup.Topology.Records;

namespace Dedup.Kafka.Native;

/// <summary>Polls in batches on the consumer's queue. Rebalance handlers run inside, on this thread.</summary>
internal sealed unsafe class NativeBatchPoller : IBatchPoller
{
    private readonly IPollEvents _events;
    private readonly QueueHandle _queue;
    private NativeRecordBatch _batch;
    private NativeMessage*[] _polled;

    public NativeBatchPoller(Handle handle, IPollEvents events)
    {
        _events = events;
        _queue = new QueueHandle(
            LibRdKafka.QueueGetConsumer(NativeHandles.Of(handle).DangerousGetHandle())
        );
        _batch = new NativeRecordBatch(1024);
        _polled = new NativeMessage*[1024];
    }

    public RecordBatch Poll(int maxRecords, int timeoutMs)
    {
        if (_batch.Capacity < maxRecords)
        {
            _batch.Release();
            _batch = new NativeRecordBatch(maxRecords);
            _polled = new NativeMessage*[maxRecords];
        }

        _batch.Release();
        fixed (NativeMessage** polled = _polled)
        {
            // The library waits until the array is full or the time is over. So: what is there; if nothing, wait for one
            // record; then what came with it.
            int count = Consume(polled, maxRecords, timeoutMs: 0);
            if (count == 0 && timeoutMs > 0)
            {
                count = Consume(polled, 1, timeoutMs);
                if (count == 1 && maxRecords > 1)
                {
                    count += Consume(polled + 1, maxRecords - 1, timeoutMs: 0);
                }
            }

            for (int i = 0; i < count; i++)
            {
                NativeMessage* message = polled[i];
                if (message->Error == 0)
                {
                    _batch.Add(message);
                }
                else
                {
                    Report(message);
                }
            }
        }

        return _batch;
    }

    public void Dispose()
    {
        _batch.Release();
        _queue.Dispose();
    }

    private int Consume(NativeMessage** target, int size, int timeoutMs)
    {
        nint count = LibRdKafka.ConsumeBatchQueue(
            _queue.DangerousGetHandle(),
            timeoutMs,
            target,
            (nuint)size
        );
        return count < 0 ? 0 : (int)count;
    }

    private void Report(NativeMessage* message)
    {
        try
        {
            if (message->Error == LibRdKafka.PartitionEof)
            {
                _events.OnEnd(message->Partition, message->Offset);
            }
            else
            {
                _events.OnError(
                    (ErrorCode)message->Error,
                    message->Topic == 0 ? -1 : message->Partition,
                    NativeText.Read(LibRdKafka.MessageErrorText(message))
                );
            }
        }
        finally
        {
            LibRdKafka.MessageDestroy(message);
        }
    }
}
