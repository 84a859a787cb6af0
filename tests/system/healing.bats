#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What breaks around a relay, or the relay itself, while 1,000 broadcasts a second go each way and
# the switch makes copies: what is lost, that it heals, that all is accounted for, and that nothing
# grows. This file: the switch, its database, its bridge, and what we have on it.

bats_require_minimum_version 1.5.0
load healing

setup_file() { healing_lab; }
setup() { healing_setup; }
teardown() { healing_teardown; }

@test "ovs-vswitchd is killed and started again" {
    heals "ovs-vswitchd killed" outage outage switch_killed 1
}

@test "ovsdb-server is killed and started again" {
    heals "ovsdb-server killed" outage outage database_killed 1
    others_are_there 1
}

@test "the bridge is deleted and made again" {
    heals "bridge deleted" outage outage bridge_deleted 1
}

@test "our flows are deleted, and changed, by hand" {
    heals "flows by hand" 500 100 "flows_deleted flows_changed" 1
    others_are_there 1
}

@test "our flows are deleted or changed a hundred times a second" {
    # Long enough for a log that says what happens each time to be full of it.
    # shellcheck disable=SC2034
    FAULT_SECONDS=4
    heals "flows meddled with" outage outage flows_meddled_with 1
    others_are_there 1
}

@test "our groups are deleted, and changed, by hand" {
    heals "groups by hand" 50 outage "groups_deleted groups_changed" 1
    others_are_there 1
}

@test "our meters are deleted, and changed, by hand" {
    heals "meters by hand" outage 50 "meters_deleted meters_changed" 1
    others_are_there 1
}

@test "the management socket is not read for five seconds" {
    # shellcheck disable=SC2034 # heals reads it
    FAULT_SECONDS=5
    heals "ovs-vswitchd halted for 5 s" outage outage switch_halted 1
    others_are_there 1
}
