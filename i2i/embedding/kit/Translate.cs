// @NAME@ in C#: dotnet run -- INPUT.png OUTPUT.png                                                //? image
// @NAME@ in C#: dotnet run -- OUTPUT.png SEED                                                     //? latent
//   ... and behind these: NUMBER, the domain: @NUMBERED@                                          //? domain
//   ... and behind these: NUMBER... for @NAMES@ (NaN: as it is)                                   //? condition
//   dotnet run -- --self-test
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using SkiaSharp;

const int Takes = @IN@, Gives = @OUT@; // channels
using var session = new InferenceSession("model.onnx");

if (args is ["--self-test"])
{
    var expected = Read("reference-output.png", Gives);
    var got = Translate(Read("reference-input.png", Takes), new double[] { @REFERENCE@ });         //? image
    var got = Translate(0, new double[] { @REFERENCE@ });                                          //? latent
    var apart = got.Pixels.Zip(expected.Pixels, (a, b) => Math.Abs(a - b)).Max();
    var passed = apart <= 1 && got.Width == expected.Width && got.Height == expected.Height;
    Console.WriteLine($"self-test {(passed ? "passed" : "FAILED")}: at most {apart} of 255 apart");
    return passed ? 0 : 1;
}
var numbers = args.Skip(2).Select(word => double.Parse(word, CultureInfo.InvariantCulture)).ToArray();
Write(args[1], Translate(Read(args[0], Takes), numbers));                                          //? image
Write(args[0], Translate(uint.Parse(args[1]), numbers));                                           //? latent
return 0;

Picture Translate(Picture picture, double[] numbers)                                               //? image
Picture Translate(uint seed, double[] numbers)                                                     //? latent
{
    var inputs = new List<NamedOnnxValue>();
    var image = new DenseTensor<byte>(picture.Pixels, new[] { 1, picture.Height, picture.Width, Takes });  //? image
    inputs.Add(NamedOnnxValue.CreateFromTensor("image", image));                                   //? image
    var latent = new DenseTensor<float>(Noise(seed), new[] { 1, @LATENT@ });                       //? latent
    inputs.Add(NamedOnnxValue.CreateFromTensor("latent", latent));                                 //? latent
    var domain = new DenseTensor<long>(numbers.Select(n => (long)n).ToArray(), new[] { 1 });       //? domain
    inputs.Add(NamedOnnxValue.CreateFromTensor("domain", domain));                                 //? domain
    var told = new DenseTensor<float>(numbers.Select(n => (float)n).ToArray(), new[] { 1, @COUNT@ });  //? condition
    inputs.Add(NamedOnnxValue.CreateFromTensor("condition", told));                                //? condition
    using var results = session.Run(inputs);
    var output = results[0].AsTensor<byte>();
    return new Picture(output.Dimensions[2], output.Dimensions[1], output.ToArray());
}

static float[] Noise(uint seed) // standard normal, as in model.js                                 //? latent
{                                                                                                  //? latent
    static uint Mixed(uint v) { unchecked { v = (v ^ v >> 16) * 0x85EBCA6Bu; v = (v ^ v >> 13) * 0xC2B2AE35u; return v ^ v >> 16; } }  //? latent
    var state = Mixed(unchecked(seed + 1));                                                        //? latent
    double Next() => (Mixed(state = unchecked(state + 0x9E3779B9u)) + 0.5) / 4294967296.0;         //? latent
    return Enumerable.Range(0, @LATENT@).Select(_ => (float)(Math.Sqrt(-2 * Math.Log(Next())) * Math.Cos(2 * Math.PI * Next()))).ToArray();  //? latent
}                                                                                                  //? latent

static Picture Read(string path, int channels)
{
    using var codec = SKCodec.Create(path) ?? throw new IOException($"{path} cannot be read");
    using var bitmap = SKBitmap.Decode(codec, codec.Info.WithColorType(SKColorType.Rgba8888).WithAlphaType(SKAlphaType.Unpremul));
    var rgba = bitmap.Bytes;
    int Over(int at, int c) => channels == 4 ? rgba[at + c] : (rgba[at + c] * rgba[at + 3] + 255 * (255 - rgba[at + 3]) + 127) / 255;
    byte Value(int pixel, int c) => (byte)(channels == 1
        ? (19595 * Over(4 * pixel, 0) + 38470 * Over(4 * pixel, 1) + 7471 * Over(4 * pixel, 2) + 32768) >> 16
        : Over(4 * pixel, c));
    var pixels = Enumerable.Range(0, bitmap.Width * bitmap.Height * channels).Select(i => Value(i / channels, i % channels));
    return new Picture(bitmap.Width, bitmap.Height, pixels.ToArray());
}

static void Write(string path, Picture picture)
{
    using var bitmap = new SKBitmap(picture.Width, picture.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
    byte Value(int pixel, int c) => c == 3 && Gives < 4 ? (byte)255 : picture.Pixels[pixel * Gives + (Gives == 1 ? 0 : c)];
    var rgba = Enumerable.Range(0, picture.Width * picture.Height * 4).Select(i => Value(i / 4, i % 4)).ToArray();
    Marshal.Copy(rgba, 0, bitmap.GetPixels(), rgba.Length);
    using var stream = File.Create(path);
    bitmap.Encode(stream, SKEncodedImageFormat.Png, 100);
}

record Picture(int Width, int Height, byte[] Pixels); // row by row, red first
