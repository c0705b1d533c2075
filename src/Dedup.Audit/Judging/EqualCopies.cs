using Dedup.Audit.Contents;

namespace Dedup.Audit.Judging;

/// <summary>Whether an input record is on clean, as far as its contents tell.</summary>
internal enum OnClean : byte
{
    /// <summary>Nothing there is equal to it.</summary>
    No,

    /// <summary>It is: more equal records are there than the other copies can account for.</summary>
    Yes,

    /// <summary>An equal record is there, and may be that of another copy.</summary>
    Perhaps,
}

/// <summary>
/// Equal input records of one event in one partition (a producer's retries) against the equal records on clean: a clean record
/// is evidence for one copy only.
/// </summary>
/// <remarks>Counted when first asked for, once for all records of the event.</remarks>
internal sealed class EqualCopies(AuditRules rules)
{
    private readonly Dictionary<RecordContents, Copies> _copies = [];
    private ReadOnlyMemory<InputEntry> _inputs;
    private ReadOnlyMemory<CleanEntry> _cleans;
    private ReadOnlyMemory<Judged> _judged;
    private bool _isCounted;
    private int _passed;

    /// <summary>The record that is being judged, by its index. All before it have been.</summary>
    public int At { get; set; }

    /// <summary>Begins with the records of another event; <paramref name="judged"/> is filled while they are judged.</summary>
    public void Begin(
        ReadOnlyMemory<InputEntry> inputs,
        ReadOnlyMemory<CleanEntry> cleans,
        ReadOnlyMemory<Judged> judged
    )
    {
        (_inputs, _cleans, _judged) = (inputs, cleans, judged);
        (_isCounted, _passed, At) = (false, 0, 0);
    }

    /// <summary>Whether the record <see cref="At"/> is on clean.</summary>
    public OnClean Place()
    {
        ref readonly InputEntry input = ref _inputs.Span[At];
        Count();
        if (!_copies.TryGetValue(input.Contents, out Copies? copies))
        {
            return OnClean.No;
        }

        int others = copies.Open + copies.Later - (MayComeLater(input) ? 1 : 0);
        return copies.Clean - copies.Expected > others ? OnClean.Yes
            : input.Has(InputMarks.InDuplicates) ? OnClean.No
            : OnClean.Perhaps;
    }

    /// <summary>
    /// Whether it may be on clean in place of a copy that came before it and is not there: when what kept that one back no
    /// longer counts, it is late itself, unless refresh moved that on; or it may be a conflict that is forwarded.
    /// </summary>
    private bool MayComeLater(in InputEntry input) =>
        !input.Has(InputMarks.InDuplicates | InputMarks.InQuarantine)
        && (
            rules.Refresh
            || (rules.ComparesContents && rules.Conflict == AuditConflictPolicy.Clean)
            || (
                rules.Late == AuditLatePolicy.Forward
                && input.TimeMs < input.ClockMs - rules.WindowOf(input.Class).GraceMs
            )
        );

    private void Count()
    {
        ReadOnlySpan<InputEntry> inputs = _inputs.Span;
        if (!_isCounted)
        {
            _isCounted = true;
            _copies.Clear();
            foreach (ref readonly CleanEntry clean in _cleans.Span)
            {
                if (!_copies.TryGetValue(clean.Contents, out Copies? copies))
                {
                    _copies[clean.Contents] = copies = new Copies();
                }

                copies.Clean++;
            }

            foreach (ref readonly InputEntry input in inputs)
            {
                if (MayComeLater(input) && _copies.TryGetValue(input.Contents, out Copies? copies))
                {
                    copies.Later++;
                }
            }
        }

        for (; _passed < At; _passed++)
        {
            ref readonly InputEntry input = ref inputs[_passed];
            if (_copies.TryGetValue(input.Contents, out Copies? copies))
            {
                ref readonly Judged judged = ref _judged.Span[_passed];
                copies.Expected += judged.BelongsOnClean ? 1 : 0;
                copies.Open += judged.MayBeOnClean ? 1 : 0;
                copies.Later -= MayComeLater(input) ? 1 : 0;
            }
        }
    }

    private sealed class Copies
    {
        /// <summary>On clean.</summary>
        public int Clean { get; set; }

        /// <summary>Input records judged that belong there.</summary>
        public int Expected { get; set; }

        /// <summary>Input records judged that may be there.</summary>
        public int Open { get; set; }

        /// <summary>Input records not judged yet that may be there.</summary>
        public int Later { get; set; }
    }
}
