using System.Globalization;
using Dedup.Host.Commands;
using Spectre.Console;

namespace Dedup.Host.Demo;

/// <summary>One look at a running demo.</summary>
internal readonly record struct DemoLook(
    long Sent,
    long Orders,
    WorkerStatus Status,
    string Worker
);

/// <summary>Shows a running demo: a live table on a terminal, a line a second elsewhere.</summary>
internal sealed class DemoView
{
    private static readonly TimeSpan Frame = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(1);

    private readonly CliContext _context;

    public DemoView(CliContext context) => _context = context;

    /// <summary>Shows until <paramref name="running"/> is done.</summary>
    public async Task ShowAsync(Task running, Func<DemoLook> look)
    {
        if (!_context.IsTerminal)
        {
            await Lines(running, look);
            return;
        }

        await AnsiConsole
            .Live(Table(look()))
            .AutoClear(false)
            .StartAsync(async live =>
            {
                while (!running.IsCompleted)
                {
                    live.UpdateTarget(Table(look()));
                    await Task.WhenAny(running, Task.Delay(Frame));
                }

                live.UpdateTarget(Table(look()));
            });
    }

    private async Task Lines(Task running, Func<DemoLook> look)
    {
        while (!running.IsCompleted)
        {
            await Task.WhenAny(running, Task.Delay(LineEvery));
            DemoLook l = look();
            WriteLine(
                $"sent {N(l.Sent)}, judged {N(l.Status.Judged)}, clean {N(l.Status.Clean)}, duplicates {N(l.Status.Duplicates)}, {N((long)l.Status.RecordsPerSecond)}/s; worker {l.Worker}"
            );
        }
    }

    private void WriteLine(string line) => _context.Out.WriteLine(line);

    private static Table Table(DemoLook l)
    {
        var table = new Table()
            .Border(TableBorder.Rounded)
            .Title("Dedup: first occurrences only")
            .HideHeaders();
        table.AddColumn("what");
        table.AddColumn(new TableColumn("value").RightAligned().Width(14));
        table.AddColumn(new TableColumn("bar").Width(34));
        table.AddRow("orders sent", N(l.Sent), Bar(l.Sent, l.Orders, "grey"));
        table.AddRow("judged", N(l.Status.Judged), Bar(l.Status.Judged, l.Orders, "blue"));
        table.AddRow("first → clean", N(l.Status.Clean), Bar(l.Status.Clean, l.Orders, "green"));
        table.AddRow(
            "duplicates",
            N(l.Status.Duplicates),
            Bar(l.Status.Duplicates, l.Orders, "yellow")
        );
        table.AddRow("lag", l.Status.Lag is { } lag ? N(lag) : "…", "");
        table.AddRow("records/s", N((long)l.Status.RecordsPerSecond), "");
        table.AddRow("worker", "", Markup.Escape(l.Worker));
        return table;
    }

    private static string Bar(long value, long total, string colour)
    {
        const int Width = 32;
        int full = total == 0 ? 0 : (int)(Math.Clamp((double)value / total, 0, 1) * Width);
        return $"[{colour}]{new string('█', full)}[/][grey]{new string('·', Width - full)}[/]";
    }

    private static string N(long n) => n.ToString("#,0", CultureInfo.InvariantCulture);
}
