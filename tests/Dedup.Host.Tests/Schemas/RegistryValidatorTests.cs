using System.Buffers.Binary;
using System.Text;
using Dedup.Contracts.Identity;
using Dedup.Host.Samples;
using Dedup.Host.Schemas;
using Dedup.Kafka.Running;
using Dedup.Topology.Records;

namespace Dedup.Host.Tests.Schemas;

public sealed class RegistryValidatorTests : IDisposable
{
    private const string Schema =
        """{"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}""";

    private static readonly Guid SomeGuid = Guid.Parse("00112233-4455-6677-8899-aabbccddeeff");

    private readonly StubRegistry _registry = new();
    private readonly List<RuntimeEvent> _events = [];
    private readonly RegistryValidator _validator;

    public RegistryValidatorTests()
    {
        _registry.Add("schemas/ids/7", Schema);
        _validator = Make(_registry.Address);
    }

    public void Dispose()
    {
        _validator.Dispose();
        _registry.Dispose();
    }

    [Fact]
    public void A_payload_that_fits_its_schema_passes_and_one_that_does_not_is_invalid()
    {
        Check(Framed(7, """{"id": "a"}""")).ShouldBe(Reason.None);
        Check(Framed(7, """{"id": 1}""")).ShouldBe(Reason.SchemaInvalid);
        Check(Framed(7, "{}")).ShouldBe(Reason.SchemaInvalid);
        Check(Framed(7, """{"id": "a" """)).ShouldBe(Reason.SchemaInvalid);
        Check(Framed(7, """{"id": 'a'}""")).ShouldBe(Reason.SchemaInvalid);
        Check(Framed(7, """{"id": "a"} {}""")).ShouldBe(Reason.SchemaInvalid);
        Check(Framed(7, "")).ShouldBe(Reason.SchemaInvalid);
        _registry.Asked.ShouldHaveSingleItem("a schema is fetched once").ShouldBe("schemas/ids/7");
    }

    [Fact]
    public void A_payload_that_names_no_schema_is_invalid_and_a_tombstone_is_not()
    {
        Check("""{"id": "a"}"""u8.ToArray()).ShouldBe(Reason.SchemaInvalid);
        Check([]).ShouldBe(Reason.SchemaInvalid);
        Check([0, 0, 0]).ShouldBe(Reason.SchemaInvalid);
        Check((byte[]?)null).ShouldBe(Reason.None);
        _registry.Asked.ShouldBeEmpty();
    }

    [Fact]
    public void A_schema_is_named_by_guid_or_id_in_the_header_of_the_newer_form()
    {
        _registry.Add($"schemas/guids/{SomeGuid}", Schema);
        byte[] guid = [1, .. SomeGuid.ToByteArray(bigEndian: true)];
        Check("""{"id": "a"}"""u8.ToArray(), guid).ShouldBe(Reason.None);
        Check("{}"u8.ToArray(), guid).ShouldBe(Reason.SchemaInvalid);
        Check("""{"id": "a"}"""u8.ToArray(), [0, 0, 0, 0, 7]).ShouldBe(Reason.None);
        Check("""{"id": "a"}"""u8.ToArray(), [2, 3]).ShouldBe(Reason.SchemaInvalid);
        _registry.Asked.ShouldBe([$"schemas/guids/{SomeGuid}", "schemas/ids/7"]);
    }

    [Theory]
    [InlineData("AVRO")]
    [InlineData("PROTOBUF")]
    [InlineData(null)]
    public void Payloads_of_other_schema_types_pass(string? type)
    {
        _registry.Add("schemas/ids/8", "{}", type);
        Check([0, 0, 0, 0, 8, 2, 6, 7]).ShouldBe(Reason.None);
    }

    [Fact]
    public void A_schema_that_the_registry_does_not_know_makes_its_payloads_invalid()
    {
        Check(Framed(404, "{}")).ShouldBe(Reason.SchemaInvalid);
        Check(Framed(404, "{}")).ShouldBe(Reason.SchemaInvalid);
        _registry.Asked.Count.ShouldBe(1, "the answer is remembered for a while");
        _events.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(404, "<html>no such page</html>")]
    [InlineData(500, """{"error_code": 50001}""")]
    [InlineData(401, "")]
    [InlineData(302, "")]
    [InlineData(200, "no JSON")]
    [InlineData(200, "{}")]
    [InlineData(200, """{"schema": 5}""")]
    public void An_answer_that_is_no_registrys_is_unavailable_and_said_once(int status, string body)
    {
        _registry.Answers["schemas/ids/9"] = (status, body);
        Check(Framed(9, "{}")).ShouldBe(Reason.SchemaUnavailable);
        Check(Framed(9, "{}")).ShouldBe(Reason.SchemaUnavailable);
        _events.Select(static e => e.Name).ShouldBe(["schema-registry.away"]);
    }

    [Fact]
    public void Known_schemas_go_on_counting_while_the_registry_is_away()
    {
        Check(Framed(7, """{"id": "a"}""")).ShouldBe(Reason.None);
        _registry.Dispose();
        Check(Framed(9, "{}")).ShouldBe(Reason.SchemaUnavailable);
        Check(Framed(7, "{}")).ShouldBe(Reason.SchemaInvalid);
        Check(Framed(7, """{"id": "a"}""")).ShouldBe(Reason.None);
    }

    [Fact]
    public void References_are_those_that_the_registry_names_and_nothing_else_is_fetched()
    {
        _registry.Add(
            "schemas/ids/10",
            """{"type": "object", "properties": {"c": {"$ref": "customer.json"}}}""",
            references: """[{"name": "customer.json", "subject": "customer/v", "version": 3}]"""
        );
        _registry.Add(
            "subjects/customer%2Fv/versions/3",
            """{"type": "object", "properties": {"country": {"$ref": "http://example.com/country.json"}}}""",
            references: """[{"name": "http://example.com/country.json", "subject": "country", "version": 1}]"""
        );
        _registry.Add("subjects/country/versions/1", """{"type": "string", "maxLength": 2}""");
        Check(Framed(10, """{"c": {"country": "DE"}}"""))
            .ShouldBe(Reason.None, string.Join(" ", _events));
        Check(Framed(10, """{"c": {"country": "Germany"}}""")).ShouldBe(Reason.SchemaInvalid);
        Check(Framed(10, """{"c": 1}""")).ShouldBe(Reason.SchemaInvalid);
    }

    [Theory]
    [InlineData("""{"$ref": "http://127.0.0.1:1/x.json"}""", "not among the references")]
    [InlineData("""{"$ref": "/etc/passwd"}""", "not among the references")]
    [InlineData("not JSON", "")]
    [InlineData("true", "")]
    public void A_schema_that_cannot_be_used_counts_as_unavailable_and_is_said(
        string schema,
        string why
    )
    {
        _registry.Add("schemas/ids/11", schema);
        Check(Framed(11, "{}")).ShouldBe(Reason.SchemaUnavailable);
        Check(Framed(11, "{}")).ShouldBe(Reason.SchemaUnavailable);
        RuntimeEvent said = _events.ShouldHaveSingleItem();
        said.Name.ShouldBe("schema.unusable");
        said.Text.ShouldContain("schema 11 cannot be used");
        said.Text.ShouldContain(why);
        said.Text.ShouldNotContain('\n');
    }

    [Fact]
    public void Keywords_that_are_not_checked_are_named()
    {
        _registry.Add(
            "schemas/ids/12",
            """{"properties": {"if": {"const": 1}}, "if": {"required": ["if"]}, "contains": {}}"""
        );
        Check(Framed(12, """{"if": 1}""")).ShouldBe(Reason.None);
        Check(Framed(12, """{"if": 2}""")).ShouldBe(Reason.SchemaInvalid);
        _events.Single().Text.ShouldBe("schema 12 uses contains, if, which is not checked");
    }

    [Fact]
    public void User_and_password_of_the_address_are_sent_and_never_printed()
    {
        var address = new Uri(
            _registry.Address.AbsoluteUri.Replace(
                "://",
                "://user:p%40ss@",
                StringComparison.Ordinal
            )
        );
        using RegistryValidator validator = Make(address);
        Check(validator, Framed(9, "{}"), null).ShouldBe(Reason.SchemaInvalid);
        _registry.Logins.Single().ShouldBe("Basic " + Convert.ToBase64String("user:p@ss"u8));
        _registry.Answers["schemas/ids/13"] = (500, "");
        Check(validator, Framed(13, "{}"), null).ShouldBe(Reason.SchemaUnavailable);
        _events.Single().Text.ShouldContain(_registry.Address.AbsoluteUri);
        _events.Single().Text.ShouldNotContain("p%40ss");
        new ValidationSettings(address, true).ToString().ShouldNotContain("p%40ss");
    }

    [Fact]
    public void Several_lanes_at_once_get_the_right_answers()
    {
        using var start = new Barrier(4);
        Parallel.For(
            0,
            4,
            new ParallelOptions { MaxDegreeOfParallelism = 4 },
            lane =>
            {
                start.SignalAndWait(TimeSpan.FromSeconds(10));
                for (int i = 0; i < 500; i++)
                {
                    bool good = (i + lane) % 2 == 0;
                    Check(Framed(7, good ? """{"id": "a"}""" : """{"id": 1}"""))
                        .ShouldBe(good ? Reason.None : Reason.SchemaInvalid);
                }
            }
        );
        _registry.Asked.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("""{"type": "integer"}""", "1.0", true)]
    [InlineData("""{"type": "integer"}""", "1e3", true)]
    [InlineData("""{"type": "integer"}""", "1.5", false)]
    [InlineData("""{"type": "integer"}""", "123456789012345678901234567890", true)]
    [InlineData("""{"type": "integer"}""", "-1e30", true)]
    [InlineData("""{"type": "number", "maximum": 10}""", "123456789012345678901234567890", false)]
    [InlineData("""{"type": "number"}""", "0.1", true)]
    [InlineData("""{"const": {"a": [1, "b"]}}""", """{"a": [1, "b"]}""", true)]
    [InlineData("""{"const": {"a": [1, "b"]}}""", """{"a": [1]}""", false)]
    [InlineData("""{"type": "string"}""", "\"2020-01-01T00:00:00Z\"", true)]
    [InlineData("""{"type": ["string", "null"]}""", "null", true)]
    [InlineData(
        """{"type": "object", "additionalProperties": false, "properties": {"a": {}}}""",
        """{"b": 1}""",
        false
    )]
    [InlineData(
        """{"$defs": {"n": {"properties": {"next": {"$ref": "#/$defs/n"}, "v": {"type": "number"}}}}, "$ref": "#/$defs/n"}""",
        """{"next": {"next": {"v": "x"}}}""",
        false
    )]
    public void Values_are_judged_as_json_schema_has_it(string schema, string value, bool fits)
    {
        CompiledSchema compiled = CompiledSchema
            .Compile(schema, new Dictionary<string, string>(), out string problem)
            .ShouldNotBeNull(problem);
        compiled
            .Check(Encoding.UTF8.GetBytes(value))
            .ShouldBe(fits ? Reason.None : Reason.SchemaInvalid);
    }

    private Reason Check(byte[]? value, byte[]? header = null) => Check(_validator, value, header);

    // A busy machine may take longer than the validator waits: then it is asked again, until the look-up has ended.
    private Reason Check(RegistryValidator validator, byte[]? value, byte[]? header)
    {
        var record = new SampleRecord
        {
            Value = value,
            Headers = header is null ? [] : [new SampleHeader("__value_schema_id", header)],
        };
        Reason reason = Reason.None;
        _ = SpinWait.SpinUntil(
            () =>
            {
                new SampleBatch([record]).Get(0, out RecordView view);
                reason = validator.Check(view);
                lock (_events)
                {
                    return reason != Reason.SchemaUnavailable || _events.Count > 0;
                }
            },
            TimeSpan.FromSeconds(30)
        );
        return reason;
    }

    private RegistryValidator Make(Uri address) =>
        new(
            "orders",
            new ValidationSettings(address, ForwardsUnchecked: true),
            e =>
            {
                lock (_events)
                {
                    _events.Add(e);
                }
            },
            TimeProvider.System
        );

    private static byte[] Framed(int id, string json)
    {
        byte[] framed = [0, 0, 0, 0, 0, .. Encoding.UTF8.GetBytes(json)];
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), id);
        return framed;
    }
}
