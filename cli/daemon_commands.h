#pragma once

#include "cli/command.h"

/// What each verb that speaks to the daemon does; the rows are in commands.cpp. Each returns the exit code.
namespace isthmus::cli {

int run_status(Terminal& terminal, const Invocation& invocation);
int run_books(Terminal& terminal, const Invocation& invocation);
int run_reload(Terminal& terminal, const Invocation& invocation);
int run_apply(Terminal& terminal, const Invocation& invocation);
int run_export(Terminal& terminal, const Invocation& invocation);
int run_connection_secret(Terminal& terminal, const Invocation& invocation);
int run_parked_list(Terminal& terminal, const Invocation& invocation);
int run_parked_retry(Terminal& terminal, const Invocation& invocation);
int run_parked_hold(Terminal& terminal, const Invocation& invocation);
int run_parked_drop(Terminal& terminal, const Invocation& invocation);
int run_quarantine_list(Terminal& terminal, const Invocation& invocation);
int run_quarantine_retry(Terminal& terminal, const Invocation& invocation);
int run_quarantine_drop(Terminal& terminal, const Invocation& invocation);
int run_archive_export(Terminal& terminal, const Invocation& invocation);
int run_archive_key(Terminal& terminal, const Invocation& invocation);

}  // namespace isthmus::cli
