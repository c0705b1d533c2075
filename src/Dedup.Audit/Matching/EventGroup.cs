using Dedup.Audit.Contents;
using Dedup.Audit.Judging;

namespace Dedup.Audit.Matching;

/// <summary>All records of one event ID in one partition: input in order with judgements, clean in order, and who is whom.</summary>
internal sealed class EventGroup
{
    public InputEntry[] Inputs = new InputEntry[4];
    public Judged[] Judged = new Judged[4];

    /// <summary>For each input record: index of its clean record, or −1.</summary>
    public int[] CleanOf = new int[4];
    public int InputCount;
    public CleanEntry[] Cleans = new CleanEntry[4];

    /// <summary>For each clean record: index of its input record, or −1.</summary>
    public int[] InputOf = new int[4];
    public int CleanCount;

    public void Clear() => InputCount = CleanCount = 0;

    public void Add(in InputEntry entry)
    {
        if (InputCount == Inputs.Length)
        {
            Array.Resize(ref Inputs, InputCount * 2);
            Array.Resize(ref Judged, InputCount * 2);
            Array.Resize(ref CleanOf, InputCount * 2);
        }

        CleanOf[InputCount] = -1;
        Inputs[InputCount++] = entry;
    }

    public void Add(in CleanEntry entry)
    {
        if (CleanCount == Cleans.Length)
        {
            Array.Resize(ref Cleans, CleanCount * 2);
            Array.Resize(ref InputOf, CleanCount * 2);
        }

        InputOf[CleanCount] = -1;
        Cleans[CleanCount++] = entry;
    }

    /// <summary>Notes that a clean record is that input record.</summary>
    public void Pair(int clean, int input)
    {
        InputOf[clean] = input;
        CleanOf[input] = clean;
    }

    /// <summary>Sorts input records by their times.</summary>
    public void SortByTime(List<int> inputs) =>
        inputs.Sort((a, b) => Inputs[a].TimeMs.CompareTo(Inputs[b].TimeMs));

    /// <summary>Notes it for good.</summary>
    public void Match(int clean, int input, PartitionContext context)
    {
        Pair(clean, input);
        context.Match(Cleans[clean], Inputs[input], Judged[input]);
    }

    /// <summary>A copy that may be kept.</summary>
    public EventGroup Copy() =>
        new()
        {
            Inputs = Inputs[..InputCount],
            Judged = Judged[..InputCount],
            CleanOf = CleanOf[..InputCount],
            InputCount = InputCount,
            Cleans = Cleans[..CleanCount],
            InputOf = InputOf[..CleanCount],
            CleanCount = CleanCount,
        };
}
