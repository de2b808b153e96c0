co_await sleep_for(1ms); co_await this_task::now(); now.time_since_epoch();
