namespace penstock { class inside {}; }
