#include "cli/kafka_args.h"

pt_kafka_options pt_kafka_args_options(const pt_kafka_args *args) {
    return (pt_kafka_options){
        .brokers = args->brokers,
        .properties = args->properties.items,
        .n_properties = args->properties.n,
    };
}
