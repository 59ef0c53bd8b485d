// @NAME@ in C++17. Build and run:
//   g++ -std=c++17 -O2 translate.cpp -I"$ONNXRUNTIME/include" -L"$ONNXRUNTIME/lib" -lonnxruntime -lpng -o translate
//   ./translate INPUT.png OUTPUT.png                                                              //? image
//   ./translate OUTPUT.png SEED                                                                   //? latent
//   ... and behind these: NUMBER, the domain: @NUMBERED@                                          //? domain
//   ... and behind these: NUMBER... for @NAMES@ (nan: as it is)                                   //? condition
//   ./translate --self-test
#include <onnxruntime_cxx_api.h>
#include <png.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

struct Picture { int64_t width, height; std::vector<uint8_t> pixels; };  // row by row, red first
const int TAKES = @IN@, GIVES = @OUT@;  // channels
const png_uint_32 FORMATS[] = {0, PNG_FORMAT_GRAY, 0, PNG_FORMAT_RGB, PNG_FORMAT_RGBA};
const std::vector<double> REFERENCE = {@REFERENCE@};                                               //? told

void fail(const std::string& why) { fprintf(stderr, "%s\n", why.c_str()); exit(1); }

Picture read(const std::string& path, int channels) {
  png_image png{}; png.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_file(&png, path.c_str())) fail(path + ": " + png.message);
  png.format = FORMATS[channels];
  Picture picture{png.width, png.height, std::vector<uint8_t>(PNG_IMAGE_SIZE(png))};
  const png_color white{255, 255, 255};
  if (!png_image_finish_read(&png, &white, picture.pixels.data(), 0, nullptr)) fail(path + ": " + png.message);
  return picture;
}

void write(const std::string& path, const Picture& picture) {
  png_image png{}; png.version = PNG_IMAGE_VERSION;
  png.width = picture.width; png.height = picture.height; png.format = FORMATS[GIVES];
  if (!png_image_write_to_file(&png, path.c_str(), 0, picture.pixels.data(), 0, nullptr)) fail(path + ": " + png.message);
}

std::vector<float> noise(uint32_t seed) {  // standard normal, as in model.js                      //? latent
  auto mixed = [](uint32_t v) { v = (v ^ v >> 16) * 0x85EBCA6Bu; v = (v ^ v >> 13) * 0xC2B2AE35u; return v ^ v >> 16; };  //? latent
  uint32_t state = mixed(seed + 1);                                                                //? latent
  auto next = [&] { return (mixed(state += 0x9E3779B9u) + 0.5) / 4294967296.0; };                  //? latent
  std::vector<float> numbers(@LATENT@);                                                            //? latent
  for (float& n : numbers) { double u = next(); n = std::sqrt(-2 * std::log(u)) * std::cos(2 * M_PI * next()); }  //? latent
  return numbers;                                                                                  //? latent
}                                                                                                  //? latent

Picture translate(Ort::Session& session, Picture in, const std::vector<double>& numbers) {         //? image
Picture translate(Ort::Session& session, uint32_t seed, const std::vector<double>& numbers) {      //? latent
  auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
  std::vector<const char*> names; std::vector<Ort::Value> inputs;
  const int64_t shape[] = {1, in.height, in.width, TAKES};                                         //? image
  inputs.push_back(Ort::Value::CreateTensor<uint8_t>(memory, in.pixels.data(), in.pixels.size(), shape, 4));  //? image
  names.push_back("image");                                                                        //? image
  auto latent = noise(seed); const int64_t shape[] = {1, int64_t(latent.size())};                  //? latent
  inputs.push_back(Ort::Value::CreateTensor<float>(memory, latent.data(), latent.size(), shape, 2));  //? latent
  names.push_back("latent");                                                                       //? latent
  std::vector<@TYPE@> told(numbers.begin(), numbers.end()); const int64_t size[] = {1, int64_t(told.size())};  //? told
  inputs.push_back(Ort::Value::CreateTensor<@TYPE@>(memory, told.data(), told.size(), size, @RANK@));  //? told
  names.push_back("@PORT@");                                                                       //? told
  const char* outputs[] = {"image_out"};
  auto out = session.Run(Ort::RunOptions{nullptr}, names.data(), inputs.data(), inputs.size(), outputs, 1);
  auto dims = out[0].GetTensorTypeAndShapeInfo().GetShape();
  const uint8_t* data = out[0].GetTensorData<uint8_t>();
  return {dims[2], dims[1], {data, data + dims[1] * dims[2] * GIVES}};
}

int main(int count, char** words) try {
  Ort::Env environment(ORT_LOGGING_LEVEL_ERROR);
  Ort::Session session(environment, ORT_TSTR("model.onnx"), Ort::SessionOptions{});
  if (count == 2 && words[1] == std::string("--self-test")) {
    Picture expected = read("reference-output.png", GIVES);
    Picture got = translate(session, read("reference-input.png", TAKES), @TOLD_REFERENCE@);        //? image
    Picture got = translate(session, 0, @TOLD_REFERENCE@);                                         //? latent
    if (got.width != expected.width || got.height != expected.height) fail("self-test FAILED: another size");
    int apart = 0;
    for (size_t i = 0; i < got.pixels.size(); i++) apart = std::max(apart, std::abs(got.pixels[i] - expected.pixels[i]));
    printf("self-test %s: at most %d of 255 apart\n", apart <= 1 ? "passed" : "FAILED", apart);
    return apart > 1;
  }
  if (count < 3) fail("what to read and what to write, please; see the head of translate.cpp");
  std::vector<double> numbers;
  for (int i = 3; i < count; i++) numbers.push_back(std::stod(words[i]));
  if (numbers.size() != @COUNT@) fail("@COUNT@ numbers are needed behind the two");
  write(words[2], translate(session, read(words[1], TAKES), numbers));                             //? image
  write(words[1], translate(session, std::stoul(words[2]), numbers));                              //? latent
} catch (const std::exception& error) { fail(error.what()); }
