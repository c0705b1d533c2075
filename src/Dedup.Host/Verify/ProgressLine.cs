using System.Globalization;
using Dedup.Audit;
using Dedup.Host.Commands;

namespace Dedup.Host.Verify;

/// <summary>A bar on standard error, and nothing where that is no terminal.</summary>
internal sealed class ProgressLine : IProgress<AuditProgress>, IDisposable
{
    private const int Width = 30;
    private const int EveryMs = 100;

    private readonly CliContext _context;
    private readonly Lock _lock = new();
    private long _last;
    private bool _shown;

    public ProgressLine(CliContext context) => _context = context;

    public void Report(AuditProgress value)
    {
        if (!_context.ErrorIsTerminal)
        {
            return;
        }

        lock (_lock)
        {
            long now = _context.Time.GetTimestamp();
            if (_shown && _context.Time.GetElapsedTime(_last, now).TotalMilliseconds < EveryMs)
            {
                return;
            }

            _last = now;
            _shown = true;
            _context.Error.Write("\r\e[K" + Line(value));
            _context.Error.Flush();
        }
    }

    /// <summary>Takes the bar away.</summary>
    public void Dispose()
    {
        if (_shown)
        {
            _context.Error.Write("\r\e[K");
            _context.Error.Flush();
        }
    }

    private static string Line(AuditProgress p)
    {
        if (p.Phase == AuditPhase.Waiting)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"waiting for the pipeline, lag {p.Done:#,0}"
            );
        }

        double share = p.Total > 0 ? Math.Clamp((double)p.Done / p.Total, 0, 1) : 0;
        int full = (int)(share * Width);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"[{new string('#', full)}{new string('-', Width - full)}] {share * 100:0} %  {p.Phase.ToString().ToLowerInvariant()}  {p.Done:#,0} of {p.Total:#,0}, findings {p.Findings:#,0}"
        );
    }
}
