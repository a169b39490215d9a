// Native histograms as remote write brings them, under the names that this service uses.
#pragma once

#include "libs/wire/remote_write/native_histogram.hpp"

namespace vigia::storage::histograms {

using wire::remote_write::Buckets;
using wire::remote_write::BucketSpan;
using wire::remote_write::check_histogram;
using wire::remote_write::decode_histogram;
using wire::remote_write::encode_histogram;
using wire::remote_write::kCustomSchema;
using wire::remote_write::NativeHistogram;
using wire::remote_write::ResetHint;
using wire::remote_write::sound_histogram;
using wire::remote_write::without_reset_hint;

}  // namespace vigia::storage::histograms
