using Dedup.Kafka.Tasks;
using Dedup.Topology.Proof;

namespace Dedup.Kafka.Lanes;

/// <content>
/// A partition waits for a tenant's rate (quota with over: throttle): paused before the record that is too much, what came
/// before it is committed as ever, and fetched again from that record on. It is neither restoring nor failed.
/// </content>
public sealed partial class Lane
{
    /// <summary>Partitions that wait; so that a lane without any pays one comparison in a step.</summary>
    private int _throttled;

    /// <summary>The next record of the task has to wait.</summary>
    private void Throttle(PartitionTask task, in TaskThrottle throttle)
    {
        task.ResumeAtMs = NowMs() + throttle.WaitMs;
        _throttled++;
        _ports.Source.Pause([task.Partition]);
        _ports.Observer.Throttled(task.Partition, throttle.Tenant, throttle.WaitMs);
    }

    /// <summary>Resumes what has waited long enough; how long a poll may wait at most, in ms.</summary>
    private int ResumeThrottled(int waitMs)
    {
        long now = NowMs();
        _throttled = 0;
        foreach (PartitionTask task in _taskList)
        {
            if (task.Throttled is null)
            {
                continue;
            }

            if (now < task.ResumeAtMs || Planted.Is(PlantedBug.ThrottledForEver))
            {
                _throttled++;
                waitMs = (int)Math.Clamp(task.ResumeAtMs - now, 1, Math.Max(1, waitMs));
                continue;
            }

            task.Throttled = null;
            long next = task.NextOffset + (Planted.Is(PlantedBug.ThrottledSkipped) ? 1 : 0);
            _ports.Source.Seek(task.Partition, next);
            _ports.Source.Resume([task.Partition]);
        }

        return waitMs;
    }
}
