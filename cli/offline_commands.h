#pragma once

#include "cli/command.h"

/// What each verb that needs no daemon does; the rows are in commands.cpp. Each returns the exit code.
namespace isthmus::cli {

int run_adapter_test(Terminal& terminal, const Invocation& invocation);
int run_adapter_describe(Terminal& terminal, const Invocation& invocation);
int run_adapter_render(Terminal& terminal, const Invocation& invocation);
int run_mapping_check(Terminal& terminal, const Invocation& invocation);
int run_mapping_run(Terminal& terminal, const Invocation& invocation);
int run_policy_test(Terminal& terminal, const Invocation& invocation);
int run_policy_decide(Terminal& terminal, const Invocation& invocation);

}  // namespace isthmus::cli
