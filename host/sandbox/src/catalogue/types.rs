//! The Linode types (plans) the emulator offers, with their prices in US dollars.
//!
//! Owns: sizes and prices of types. Does not know regions beyond the two that cost more. Source: Linode API v4 docs.

/// A size of Linode.
#[derive(Debug, PartialEq)]
pub struct Type {
    pub id: &'static str,
    pub label: &'static str,
    /// `nanode`, `standard`, `dedicated`, `highmem`, `gpu` or `premium`.
    pub class: &'static str,
    /// MB.
    pub memory: u64,
    /// MB.
    pub disk: u64,
    pub vcpus: u64,
    pub gpus: u64,
    /// GB a month.
    pub transfer: u64,
    /// Mbit/s.
    pub network_out: u64,
    pub price: Price,
    /// The price of the backup service for this type.
    pub backups: Price,
    /// In regions with a price of their own: (region, price, price of backups).
    pub elsewhere: &'static [(&'static str, Price, Price)],
}

/// US dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    pub hourly: f64,
    pub monthly: f64,
}

const fn usd(hourly: f64, monthly: f64) -> Price {
    Price { hourly, monthly }
}

/// All types, in the order the list has them.
#[rustfmt::skip]
pub static TYPES: &[Type] = &[
    Type { id: "g6-nanode-1", label: "Nanode 1GB", class: "nanode", memory: 1024, disk: 25600, vcpus: 1, gpus: 0, transfer: 1000, network_out: 1000,
        price: usd(0.0075, 5.0), backups: usd(0.003, 2.0), elsewhere: &[("id-cgk", usd(0.009, 6.0), usd(0.0036, 2.4)), ("br-gru", usd(0.0105, 7.0), usd(0.004, 2.8))] },
    Type { id: "g6-standard-1", label: "Linode 2GB", class: "standard", memory: 2048, disk: 51200, vcpus: 1, gpus: 0, transfer: 2000, network_out: 2000,
        price: usd(0.018, 12.0), backups: usd(0.004, 2.5), elsewhere: &[("id-cgk", usd(0.022, 14.4), usd(0.0045, 3.0)), ("br-gru", usd(0.025, 16.8), usd(0.005, 3.5))] },
    Type { id: "g6-standard-2", label: "Linode 4GB", class: "standard", memory: 4096, disk: 81920, vcpus: 2, gpus: 0, transfer: 4000, network_out: 4000,
        price: usd(0.036, 24.0), backups: usd(0.008, 5.0), elsewhere: &[("id-cgk", usd(0.043, 28.8), usd(0.009, 6.0)), ("br-gru", usd(0.05, 33.6), usd(0.01, 7.0))] },
    Type { id: "g6-standard-4", label: "Linode 8GB", class: "standard", memory: 8192, disk: 163840, vcpus: 4, gpus: 0, transfer: 5000, network_out: 5000,
        price: usd(0.072, 48.0), backups: usd(0.015, 10.0), elsewhere: &[("id-cgk", usd(0.086, 57.6), usd(0.018, 12.0)), ("br-gru", usd(0.101, 67.2), usd(0.021, 14.0))] },
    Type { id: "g6-standard-6", label: "Linode 16GB", class: "standard", memory: 16384, disk: 327680, vcpus: 6, gpus: 0, transfer: 8000, network_out: 6000,
        price: usd(0.144, 96.0), backups: usd(0.03, 20.0), elsewhere: &[("id-cgk", usd(0.173, 115.2), usd(0.036, 24.0)), ("br-gru", usd(0.202, 134.4), usd(0.042, 28.0))] },
    Type { id: "g6-standard-8", label: "Linode 32GB", class: "standard", memory: 32768, disk: 655360, vcpus: 8, gpus: 0, transfer: 16000, network_out: 7000,
        price: usd(0.288, 192.0), backups: usd(0.06, 40.0), elsewhere: &[("id-cgk", usd(0.346, 230.4), usd(0.072, 48.0)), ("br-gru", usd(0.403, 268.8), usd(0.084, 56.0))] },
    Type { id: "g6-standard-16", label: "Linode 64GB", class: "standard", memory: 65536, disk: 1310720, vcpus: 16, gpus: 0, transfer: 20000, network_out: 9000,
        price: usd(0.576, 384.0), backups: usd(0.12, 80.0), elsewhere: &[("id-cgk", usd(0.691, 460.8), usd(0.144, 96.0)), ("br-gru", usd(0.806, 537.6), usd(0.168, 112.0))] },
    Type { id: "g6-standard-20", label: "Linode 96GB", class: "standard", memory: 98304, disk: 1966080, vcpus: 20, gpus: 0, transfer: 20000, network_out: 10000,
        price: usd(0.864, 576.0), backups: usd(0.18, 120.0), elsewhere: &[("id-cgk", usd(1.037, 691.2), usd(0.216, 144.0)), ("br-gru", usd(1.21, 806.4), usd(0.252, 168.0))] },
    Type { id: "g6-standard-24", label: "Linode 128GB", class: "standard", memory: 131072, disk: 2621440, vcpus: 24, gpus: 0, transfer: 20000, network_out: 11000,
        price: usd(1.152, 768.0), backups: usd(0.24, 160.0), elsewhere: &[("id-cgk", usd(1.382, 921.6), usd(0.288, 192.0)), ("br-gru", usd(1.613, 1075.2), usd(0.336, 224.0))] },
    Type { id: "g6-standard-32", label: "Linode 192GB", class: "standard", memory: 196608, disk: 3932160, vcpus: 32, gpus: 0, transfer: 20000, network_out: 12000,
        price: usd(1.728, 1152.0), backups: usd(0.36, 240.0), elsewhere: &[("id-cgk", usd(2.074, 1382.4), usd(0.432, 288.0)), ("br-gru", usd(2.419, 1612.8), usd(0.504, 336.0))] },
    Type { id: "g7-highmem-1", label: "Linode 24GB", class: "highmem", memory: 24576, disk: 20480, vcpus: 2, gpus: 0, transfer: 5000, network_out: 5000,
        price: usd(0.09, 60.0), backups: usd(0.0075, 5.0), elsewhere: &[("id-cgk", usd(0.108, 72.0), usd(0.009, 6.0)), ("br-gru", usd(0.126, 84.0), usd(0.0105, 7.0))] },
    Type { id: "g7-highmem-2", label: "Linode 48GB", class: "highmem", memory: 49152, disk: 40960, vcpus: 2, gpus: 0, transfer: 6000, network_out: 6000,
        price: usd(0.18, 120.0), backups: usd(0.015, 10.0), elsewhere: &[("id-cgk", usd(0.216, 144.0), usd(0.018, 12.0)), ("br-gru", usd(0.252, 168.0), usd(0.021, 14.0))] },
    Type { id: "g7-highmem-4", label: "Linode 90GB", class: "highmem", memory: 92160, disk: 92160, vcpus: 4, gpus: 0, transfer: 7000, network_out: 7000,
        price: usd(0.36, 240.0), backups: usd(0.03, 20.0), elsewhere: &[("id-cgk", usd(0.432, 288.0), usd(0.036, 24.0)), ("br-gru", usd(0.504, 336.0), usd(0.042, 28.0))] },
    Type { id: "g7-highmem-8", label: "Linode 150GB", class: "highmem", memory: 153600, disk: 204800, vcpus: 8, gpus: 0, transfer: 8000, network_out: 8000,
        price: usd(0.72, 480.0), backups: usd(0.06, 40.0), elsewhere: &[("id-cgk", usd(0.864, 576.0), usd(0.072, 48.0)), ("br-gru", usd(1.008, 672.0), usd(0.084, 56.0))] },
    Type { id: "g7-highmem-16", label: "Linode 300GB", class: "highmem", memory: 307200, disk: 348160, vcpus: 16, gpus: 0, transfer: 9000, network_out: 9000,
        price: usd(1.44, 960.0), backups: usd(0.12, 80.0), elsewhere: &[("id-cgk", usd(1.728, 1152.0), usd(0.144, 96.0)), ("br-gru", usd(2.016, 1344.0), usd(0.168, 112.0))] },
    Type { id: "g6-dedicated-2", label: "Dedicated 4GB", class: "dedicated", memory: 4096, disk: 81920, vcpus: 2, gpus: 0, transfer: 4000, network_out: 4000,
        price: usd(0.054, 36.0), backups: usd(0.008, 5.0), elsewhere: &[("id-cgk", usd(0.065, 43.2), usd(0.009, 6.0)), ("br-gru", usd(0.076, 50.4), usd(0.01, 7.0))] },
    Type { id: "g6-dedicated-4", label: "Dedicated 8GB", class: "dedicated", memory: 8192, disk: 163840, vcpus: 4, gpus: 0, transfer: 5000, network_out: 5000,
        price: usd(0.108, 72.0), backups: usd(0.015, 10.0), elsewhere: &[("id-cgk", usd(0.13, 86.4), usd(0.018, 12.0)), ("br-gru", usd(0.151, 100.8), usd(0.021, 14.0))] },
    Type { id: "g6-dedicated-8", label: "Dedicated 16GB", class: "dedicated", memory: 16384, disk: 327680, vcpus: 8, gpus: 0, transfer: 6000, network_out: 6000,
        price: usd(0.216, 144.0), backups: usd(0.03, 20.0), elsewhere: &[("id-cgk", usd(0.259, 172.8), usd(0.036, 24.0)), ("br-gru", usd(0.302, 201.6), usd(0.042, 28.0))] },
    Type { id: "g6-dedicated-16", label: "Dedicated 32GB", class: "dedicated", memory: 32768, disk: 655360, vcpus: 16, gpus: 0, transfer: 7000, network_out: 7000,
        price: usd(0.432, 288.0), backups: usd(0.06, 40.0), elsewhere: &[("id-cgk", usd(0.518, 345.6), usd(0.072, 48.0)), ("br-gru", usd(0.605, 403.2), usd(0.084, 56.0))] },
    Type { id: "g6-dedicated-32", label: "Dedicated 64GB", class: "dedicated", memory: 65536, disk: 1310720, vcpus: 32, gpus: 0, transfer: 8000, network_out: 8000,
        price: usd(0.864, 576.0), backups: usd(0.12, 80.0), elsewhere: &[("id-cgk", usd(1.037, 691.2), usd(0.144, 96.0)), ("br-gru", usd(1.21, 806.4), usd(0.168, 112.0))] },
    Type { id: "g6-dedicated-48", label: "Dedicated 96GB", class: "dedicated", memory: 98304, disk: 1966080, vcpus: 48, gpus: 0, transfer: 9000, network_out: 9000,
        price: usd(1.296, 864.0), backups: usd(0.18, 120.0), elsewhere: &[("id-cgk", usd(1.555, 1036.8), usd(0.216, 144.0)), ("br-gru", usd(1.814, 1209.6), usd(0.252, 168.0))] },
    Type { id: "g6-dedicated-50", label: "Dedicated 128GB", class: "dedicated", memory: 131072, disk: 2560000, vcpus: 50, gpus: 0, transfer: 10000, network_out: 10000,
        price: usd(1.728, 1152.0), backups: usd(0.24, 160.0), elsewhere: &[("id-cgk", usd(2.074, 1382.4), usd(0.288, 192.0)), ("br-gru", usd(2.419, 1612.8), usd(0.336, 224.0))] },
    Type { id: "g6-dedicated-56", label: "Dedicated 256GB", class: "dedicated", memory: 262144, disk: 5120000, vcpus: 56, gpus: 0, transfer: 11000, network_out: 11000,
        price: usd(3.456, 2304.0), backups: usd(0.3, 200.0), elsewhere: &[("id-cgk", usd(4.147, 2764.8), usd(0.36, 240.0)), ("br-gru", usd(4.838, 3225.6), usd(0.42, 280.0))] },
    Type { id: "g6-dedicated-64", label: "Dedicated 512GB", class: "dedicated", memory: 524288, disk: 7372800, vcpus: 64, gpus: 0, transfer: 12000, network_out: 12000,
        price: usd(6.912, 4608.0), backups: usd(0.36, 240.0), elsewhere: &[("id-cgk", usd(8.294, 5529.6), usd(0.432, 288.0)), ("br-gru", usd(9.677, 6451.2), usd(0.504, 336.0))] },
    Type { id: "g1-gpu-rtx6000-1", label: "Dedicated 32GB + RTX6000 GPU x1", class: "gpu", memory: 32768, disk: 655360, vcpus: 8, gpus: 1, transfer: 16000, network_out: 10000,
        price: usd(1.5, 1000.0), backups: usd(0.06, 40.0), elsewhere: &[] },
    Type { id: "g1-gpu-rtx6000-2", label: "Dedicated 64GB + RTX6000 GPU x2", class: "gpu", memory: 65536, disk: 1310720, vcpus: 16, gpus: 2, transfer: 20000, network_out: 10000,
        price: usd(3.0, 2000.0), backups: usd(0.12, 80.0), elsewhere: &[] },
    Type { id: "g1-gpu-rtx6000-3", label: "Dedicated 96GB + RTX6000 GPU x3", class: "gpu", memory: 98304, disk: 1966080, vcpus: 20, gpus: 3, transfer: 20000, network_out: 10000,
        price: usd(4.5, 3000.0), backups: usd(0.18, 120.0), elsewhere: &[] },
    Type { id: "g1-gpu-rtx6000-4", label: "Dedicated 128GB + RTX6000 GPU x4", class: "gpu", memory: 131072, disk: 2621440, vcpus: 24, gpus: 4, transfer: 20000, network_out: 10000,
        price: usd(6.0, 4000.0), backups: usd(0.24, 160.0), elsewhere: &[] },
    Type { id: "g7-premium-2", label: "Premium 4GB", class: "premium", memory: 4096, disk: 81920, vcpus: 2, gpus: 0, transfer: 4000, network_out: 4000,
        price: usd(0.0645, 43.0), backups: usd(0.008, 5.0), elsewhere: &[("id-cgk", usd(0.078, 51.84), usd(0.009, 6.0)), ("br-gru", usd(0.091, 60.48), usd(0.01, 7.0))] },
    Type { id: "g7-premium-4", label: "Premium 8GB", class: "premium", memory: 8192, disk: 163840, vcpus: 4, gpus: 0, transfer: 5000, network_out: 5000,
        price: usd(0.129, 86.0), backups: usd(0.015, 10.0), elsewhere: &[("id-cgk", usd(0.156, 103.68), usd(0.018, 12.0)), ("br-gru", usd(0.181, 120.96), usd(0.021, 14.0))] },
    Type { id: "g7-premium-8", label: "Premium 16GB", class: "premium", memory: 16384, disk: 327680, vcpus: 8, gpus: 0, transfer: 6000, network_out: 6000,
        price: usd(0.2595, 173.0), backups: usd(0.03, 20.0), elsewhere: &[("id-cgk", usd(0.311, 207.36), usd(0.036, 24.0)), ("br-gru", usd(0.363, 241.92), usd(0.042, 28.0))] },
    Type { id: "g7-premium-16", label: "Premium 32GB", class: "premium", memory: 32768, disk: 655360, vcpus: 16, gpus: 0, transfer: 7000, network_out: 7000,
        price: usd(0.519, 346.0), backups: usd(0.06, 40.0), elsewhere: &[("id-cgk", usd(0.622, 414.72), usd(0.072, 48.0)), ("br-gru", usd(0.726, 483.84), usd(0.084, 56.0))] },
    Type { id: "g7-premium-32", label: "Premium 64GB", class: "premium", memory: 65536, disk: 1310720, vcpus: 32, gpus: 0, transfer: 8000, network_out: 8000,
        price: usd(1.0365, 691.0), backups: usd(0.12, 80.0), elsewhere: &[("id-cgk", usd(1.244, 829.44), usd(0.144, 96.0)), ("br-gru", usd(1.452, 967.68), usd(0.168, 112.0))] },
    Type { id: "g7-premium-48", label: "Premium 96GB", class: "premium", memory: 98304, disk: 1966080, vcpus: 48, gpus: 0, transfer: 9000, network_out: 9000,
        price: usd(1.5555, 1037.0), backups: usd(0.18, 120.0), elsewhere: &[("id-cgk", usd(1.866, 1244.16), usd(0.216, 144.0)), ("br-gru", usd(2.177, 1451.52), usd(0.252, 168.0))] },
    Type { id: "g7-premium-50", label: "Premium 128GB", class: "premium", memory: 131072, disk: 2560000, vcpus: 50, gpus: 0, transfer: 10000, network_out: 10000,
        price: usd(2.073, 1382.0), backups: usd(0.24, 160.0), elsewhere: &[("id-cgk", usd(2.488, 1658.88), usd(0.288, 192.0)), ("br-gru", usd(2.903, 1935.36), usd(0.336, 224.0))] },
    Type { id: "g7-premium-56", label: "Premium 256GB", class: "premium", memory: 262144, disk: 5120000, vcpus: 56, gpus: 0, transfer: 11000, network_out: 11000,
        price: usd(4.1475, 2765.0), backups: usd(0.3, 200.0), elsewhere: &[("id-cgk", usd(4.977, 3317.76), usd(0.36, 240.0)), ("br-gru", usd(5.806, 3870.72), usd(0.42, 280.0))] },
    Type { id: "g7-premium-64", label: "Premium 512GB", class: "premium", memory: 524288, disk: 7372800, vcpus: 64, gpus: 0, transfer: 12000, network_out: 12000,
        price: usd(8.295, 5530.0), backups: usd(0.36, 240.0), elsewhere: &[("id-cgk", usd(9.953, 6635.52), usd(0.432, 288.0)), ("br-gru", usd(11.612, 7741.44), usd(0.504, 336.0))] },
];
