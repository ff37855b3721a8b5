// How good the images of a GAN are, beside real ones that its training never sees.
//
//   Fréchet distance    of the codes of an autoencoder that was trained on the same training images, each number of the code divided by its
//                       standard deviation over the real images. It compares runs of one recipe and data; it is no FID.
//   nearest distance    from an image that was made to the training image that is most like it, root mean square over the pixels, of 1
//                       from black to white; 0 is a copy
//   diversity           mean distance between the codes of two images, in that of two real ones: near 0 all are alike
//   class accuracy      of a conditional GAN: how many of its images have the class that they were asked for, by the real image whose code is
//                       nearest. Images are asked for in the shares that the classes have among the real ones
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "danlu/data/image/labeled_images.h"
#include "danlu/eval/frechet.h"
#include "danlu/learn/models/autoencoder.h"
#include "danlu/learn/models/gan.h"
#include "danlu/learn/train/objective.h"

namespace danlu::app {

class ImageQuality {
 public:
  // All must outlive it. `real` are at least two samples that the images are compared with, `training` those that must not be copied.
  ImageQuality(models::Autoencoder& features, const data::LabeledImages& images, std::span<const int64_t> training, std::span<const int64_t> real);

  struct Result {
    double frechet_distance = 0, diversity = 0;
    double nearest_distance = 0, least_distance = 0;  // mean, and of the closest
    int64_t copies = 0;                               // equal to a training image
    std::optional<double> class_accuracy = {};        // of a conditional GAN
    int64_t samples = 0, looked_up = 0;               // made; and of them compared with the training images
  };
  // Makes `samples` images of a seed and looks up some of them among the training images.
  Result measure(const models::Gan& gan, int64_t samples, int64_t looked_up, uint64_t seed) const;

  // For AdversarialObjective: the distance is what is monitored.
  train::Validation validate(const models::Gan& gan, uint64_t seed) const;

  // The distance between the two halves of the real images: what a perfect generator would come to with so few.
  double floor() const { return floor_; }
  // Of one half by the other: how far the class of a real image can be told so.
  double class_accuracy_of_real() const { return real_class_accuracy_; }

 private:
  Tensor codes_of(const Tensor& images) const;  // (N, code), divided by the deviations
  models::Autoencoder& features_;
  const data::LabeledImages& images_;
  std::span<const int64_t> training_;
  std::vector<float> scale_;
  Tensor real_codes_;                 // of at most so many as are compared with
  std::vector<int64_t> real_labels_;  // of these
  eval::Gaussian real_;
  double real_diversity_ = 0, floor_ = 0, real_class_accuracy_ = 0;
};

}  // namespace danlu::app
