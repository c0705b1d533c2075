using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;
using Shouldly;

namespace Dedup.Host.Tests.Layers;

/// <summary>Dependencies point inwards: Host → Kafka, RocksDb, Audit → DedupTopology → Contracts, read from the projects and from what was compiled.</summary>
public sealed class DependencyTests
{
    /// <summary>Project → the projects it may use; a project that is not named here is refused.</summary>
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Contracts"] = [],
        ["DedupTopology"] = ["Contracts"],
        ["Dedup.RocksDb"] = ["Contracts", "DedupTopology"],
        ["Dedup.Kafka"] = ["Contracts", "DedupTopology"],
        ["Dedup.Audit"] = ["Contracts", "DedupTopology"],
        ["Dedup.Host"] =
        [
            "Contracts",
            "DedupTopology",
            "Dedup.RocksDb",
            "Dedup.Kafka",
            "Dedup.Audit",
        ],
    };

    /// <summary>Project → its assembly, where the names differ.</summary>
    private static readonly Dictionary<string, string> Assemblies = new(StringComparer.Ordinal)
    {
        ["Contracts"] = "Dedup.Contracts",
        ["DedupTopology"] = "Dedup.Topology",
        ["Dedup.Host"] = "dedup",
    };

    public static TheoryData<string> Projects => [.. Allowed.Keys];

    [Fact]
    public void Every_source_project_has_its_place()
    {
        string[] projects =
        [
            .. Directory
                .GetFiles(Repository.PathOf("src"), "*.csproj", SearchOption.AllDirectories)
                .Select(Path.GetFileNameWithoutExtension)!,
        ];
        projects.ShouldBe(Allowed.Keys, ignoreOrder: true);
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_refers_only_inwards(string project)
    {
        XDocument file = XDocument.Load(Repository.PathOf($"src/{project}/{project}.csproj"));
        foreach (XElement reference in file.Descendants("ProjectReference"))
        {
            string target = Path.GetFileNameWithoutExtension(
                reference.Attribute("Include")!.Value.Replace('\\', '/')
            );
            Allowed[project].ShouldContain(target, $"src/{project} must not depend on {target}");
        }
        if (project is "Contracts" or "DedupTopology")
        {
            file.Descendants("PackageReference")
                .ShouldBeEmpty($"src/{project} is pure: no packages");
        }
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void An_assembly_refers_only_inwards(string project)
    {
        using Compiled compiled = Compiled.Open(AssemblyOf(project));
        string[] ours = [.. Allowed.Keys.Select(AssemblyOf)];
        string[] allowed = [.. Allowed[project].Select(AssemblyOf)];
        foreach (AssemblyReferenceHandle handle in compiled.Reader.AssemblyReferences)
        {
            string name = compiled.Reader.GetString(
                compiled.Reader.GetAssemblyReference(handle).Name
            );
            bool outside = ours.Contains(name) && !allowed.Contains(name);
            outside.ShouldBeFalse($"{AssemblyOf(project)} must not refer to {name}");
            if (project is "Contracts" or "DedupTopology")
            {
                bool pure =
                    name.StartsWith("System.", StringComparison.Ordinal) || allowed.Contains(name);
                pure.ShouldBeTrue($"{AssemblyOf(project)} is pure and must not refer to {name}");
            }
        }
    }

    [Fact]
    public void The_audit_shares_only_contracts_and_the_recipe_parser_with_the_pipeline()
    {
        using Compiled compiled = Compiled.Open("Dedup.Audit");
        MetadataReader reader = compiled.Reader;
        string[] foreign =
        [
            .. reader
                .TypeReferences.Select(reader.GetTypeReference)
                .Where(type => type.ResolutionScope.Kind == HandleKind.AssemblyReference)
                .Where(type =>
                    reader.GetString(
                        reader
                            .GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope)
                            .Name
                    ) == "Dedup.Topology"
                )
                .Select(type =>
                    (Namespace: reader.GetString(type.Namespace), Name: reader.GetString(type.Name))
                )
                .Where(type => type.Namespace != "Dedup.Topology.Identify")
                // What a recipe reads from: a recipe cannot be evaluated without them, and they judge nothing.
                .Where(type =>
                    type is not ("Dedup.Topology.Records", "RecordBatch" or "RecordView")
                )
                .Select(type => $"{type.Namespace}.{type.Name}"),
        ];
        foreign.ShouldBeEmpty("what judges must not share code with what is judged");
    }

    private static string AssemblyOf(string project) =>
        Assemblies.GetValueOrDefault(project, project);

    /// <summary>An assembly beside this test, read as a file and never loaded.</summary>
    private sealed class Compiled : IDisposable
    {
        private readonly PEReader _file;

        private Compiled(PEReader file)
        {
            _file = file;
            Reader = file.GetMetadataReader();
        }

        public MetadataReader Reader { get; }

        public static Compiled Open(string assembly) =>
            new(
                new PEReader(
                    File.OpenRead(Path.Combine(AppContext.BaseDirectory, $"{assembly}.dll"))
                )
            );

        public void Dispose() => _file.Dispose();
    }
}
