using System.Buffers.Binary;
using System.Text;
using Dedup.Simulation.Chance;
using Dedup.Simulation.Scenarios;

namespace Dedup.Simulation.Workloads;

/// <summary>Writes values: numbers, the content that is an ID, or JSON with a time; sometimes what nobody should send.</summary>
internal sealed class Values(Scenario scenario, Rng rng)
{
    /// <summary>The value of a record.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="key">Its key, before something hostile was done to that.</param>
    /// <param name="timeMs">Its time.</param>
    /// <param name="isHostile">Whether something nobody should send may come.</param>
    public byte[]? Next(int number, byte[] key, long timeMs, bool isHostile)
    {
        if (rng.OneIn(40))
        {
            return rng.OneIn(2) ? null : [];
        }

        // Now and then beyond what clean takes, or with its quarantine headers even beyond what quarantine takes, or beyond
        // what the client sends at all.
        int limit = rng.OneIn(3) ? scenario.ClientMaxBytes : scenario.MaxMessageBytes;
        int length = isHostile && rng.OneIn(6) ? limit + rng.Between(-400, 100) : rng.Below(24);
        bool isCompared = scenario.Spec.Recipe.Fingerprint is not null;
        length = isCompared && length < 24 ? length % 5 : length;
        if (scenario.Spec.Time.Payload is not null && isHostile && rng.OneIn(5))
        {
            return rng.OneIn(2) ? "{\"at\""u8.ToArray() : "{\"no\":1}"u8.ToArray();
        }

        return scenario.BucketMs > 0 && length < 24
            ? [(byte)'v', .. key]
            : Numbered(number, length, timeMs);
    }

    /// <summary>A value of that length with a number in it, so that each is told from all others.</summary>
    public byte[] Numbered(int number, int length, long timeMs)
    {
        // Where payloads are compared, some have to be equal.
        number = scenario.Spec.Recipe.Fingerprint is null ? number : number % 2;
        if (scenario.Spec.Time.Payload is not null)
        {
            string json = $"{{\"at\":{timeMs},\"n\":{number},\"p\":\"";
            return Encoding.UTF8.GetBytes(
                $"{json}{new string('p', Math.Max(0, length - json.Length - 2))}\"}}"
            );
        }

        byte[] value = new byte[Math.Max(4, length)];
        BinaryPrimitives.WriteInt32LittleEndian(value, number);
        return value;
    }
}
