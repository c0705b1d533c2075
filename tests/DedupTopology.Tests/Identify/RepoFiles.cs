namespace DedupTopology.Tests.Identify;

/// <summary>Files of the repository, found from where the tests run.</summary>
internal static class RepoFiles
{
    public static string Root { get; } = FindRoot();

    public static string Path(params string[] parts) => System.IO.Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (
            folder is not null && !File.Exists(System.IO.Path.Combine(folder.FullName, "Dedup.sln"))
        )
        {
            folder = folder.Parent;
        }

        return folder?.FullName
            ?? throw new InvalidOperationException("Dedup.sln is in no folder above the tests");
    }
}
